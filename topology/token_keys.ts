/**
 * The keys of tokens: those of the configuration, or one that is generated and kept in the data
 * directory, for this user alone.
 *
 * @module
 */
import type { Config } from "../config.ts";
import { type TokenKey, tokenKey } from "../gateways/auth/token.ts";

const generatedBytes = 48;
const bytesMin = 32;

/**
 * The signing key first. The file may hold a second line: the key before, which still verifies.
 *
 * @throws {Error} when the file cannot be read or holds no key.
 */
export async function tokenKeys({ jwt }: Config, file: string): Promise<TokenKey[]> {
  const secrets = jwt.secret === undefined
    ? keptSecrets(file)
    : [jwt.secret, ...(jwt.previousSecret === undefined ? [] : [jwt.previousSecret])];
  return await Promise.all(secrets.map(tokenKey));
}

function keptSecrets(file: string): string[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    text = `${crypto.getRandomValues(new Uint8Array(generatedBytes)).toBase64()}\n`;
    Deno.writeTextFileSync(file, text, { mode: 0o600, createNew: true });
  }
  const secrets = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (secrets.length === 0 || secrets.length > 2 || secrets.some((one) => one.length < bytesMin)) {
    throw new Error(
      `Cannot use the data directory: ${file} must hold one or two keys of at least ${bytesMin} characters, a line each. Delete it to have one generated; tokens issued before end with it`,
    );
  }
  return secrets;
}
