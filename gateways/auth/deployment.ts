/**
 * The environment of the login that runs by itself, with the names and rules that the service has.
 *
 * @module
 */
import { isSigningKey } from "./signing_key.ts";
import { type TokenKey, tokenKey } from "./token.ts";

export interface Deployment {
  readonly postgresUrl: string;
  readonly keys: readonly TokenKey[];
  readonly tokenLifetimeS: number;
  readonly endpoints: readonly string[];
}

/**
 * @throws {RangeError} naming the variable that is missing or no good.
 *
 * @example
 * ```ts
 * import { readDeployment } from "./deployment.ts";
 * import assert from "node:assert/strict";
 *
 * const { keys, tokenLifetimeS } = await readDeployment({
 *   SLUICE_POSTGRES_URL: "postgres://db.example/sluice",
 *   SLUICE_JWT_SECRET: "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41",
 * });
 * assert.equal(keys.length, 1);
 * assert.equal(tokenLifetimeS, 3_600);
 * ```
 */
export async function readDeployment(env: Readonly<Record<string, string>>): Promise<Deployment> {
  const postgresUrl = env.SLUICE_POSTGRES_URL ?? "";
  if (!/^postgres(ql)?:$/.test(URL.parse(postgresUrl)?.protocol ?? "")) {
    throw new RangeError("SLUICE_POSTGRES_URL: must be the postgres:// URL of the accounts");
  }
  const lifetime = env.SLUICE_AUTH_TOKEN_LIFETIME_S ?? "3600";
  const tokenLifetimeS = /^\d{1,6}$/.test(lifetime) ? Number(lifetime) : NaN;
  if (!(tokenLifetimeS >= 60 && tokenLifetimeS <= 604_800)) {
    throw new RangeError("SLUICE_AUTH_TOKEN_LIFETIME_S: must be an integer from 60 to 604800 (s)");
  }
  const secrets = [env.SLUICE_JWT_SECRET ?? ""];
  if (env.SLUICE_JWT_PREVIOUS_SECRET) secrets.push(env.SLUICE_JWT_PREVIOUS_SECRET);
  if (!secrets.every(isSigningKey)) {
    throw new RangeError(
      "SLUICE_JWT_SECRET, SLUICE_JWT_PREVIOUS_SECRET: must have at least 32 bytes and be no " +
        "placeholder; `openssl rand -base64 48` makes a good one",
    );
  }
  const endpoints = (env.SLUICE_AUTH_ADVERTISE ?? "").split(",").map((url) => url.trim())
    .filter((url) => url !== "");
  return { postgresUrl, keys: await Promise.all(secrets.map(tokenKey)), tokenLifetimeS, endpoints };
}
