/**
 * The rate of one account that differs from the others', as text: `"UPB/gateway=2000:1,60000:60"`.
 *
 * @module
 */
import { parseRate } from "./rate_limit.ts";

export interface AccountRate {
  readonly account: string;
  /** For {@linkcode parseRate}. */
  readonly messages: string;
}

/**
 * Reads one. A name may have a `=` in it, a rate has none.
 *
 * @throws {RangeError} saying what is wrong, and what is allowed.
 *
 * @example
 * ```ts
 * import { parseAccountRate } from "./account_rate.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseAccountRate("UPB/gateway=2000:1"), {
 *   account: "UPB/gateway",
 *   messages: "2000:1",
 * });
 * assert.throws(() => parseAccountRate("2000:1"), /no account=rate/);
 * ```
 */
export function parseAccountRate(text: string): AccountRate {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new RangeError(`${JSON.stringify(text)} is no account=rate`);
  const messages = text.slice(at + 1);
  parseRate(messages);
  return { account: text.slice(0, at), messages };
}
