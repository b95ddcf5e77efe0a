/**
 * Certificate authorities that a user names.
 *
 * @module
 */
import { CommandError, exitCodes } from "./exit_code.ts";

/** For `fetch` and `WebSocket`, where authorities are named. Throws as {@linkcode readCa} does. */
export async function caClient(file: string | undefined): Promise<Deno.HttpClient | undefined> {
  return file === undefined ? undefined : Deno.createHttpClient({ caCerts: [await readCa(file)] });
}

/** Reads a PEM file. Throws a `CommandError` when that cannot be done. */
export async function readCa(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw new CommandError(exitCodes.input, `cannot read --ca ${file}: ${cause}`, { cause });
  }
}
