/**
 * By which names a service may be asked that asks for no account. A page of another site, whose name
 * is made to lead to this machine (DNS rebinding), is of the same origin to its visitor's browser;
 * what gives it away is the name in `Host`. An address cannot be made to lead elsewhere.
 *
 * @module
 */

/**
 * @param names further ones, such as that of a proxy in front.
 *
 * @example
 * ```ts
 * import { hostNames } from "./host_names.ts";
 * import assert from "node:assert/strict";
 *
 * const isKnown = hostNames(["sluice.example"]);
 * assert.ok(["127.0.0.1:8080", "localhost", "Sluice.example:443"].every(isKnown));
 * assert.equal(isKnown("rebound.example:8080"), false);
 * ```
 */
export function hostNames(names: readonly string[]): (host: string | null) => boolean {
  const known = new Set(["localhost", ...names.map((name) => name.toLowerCase())]);
  return (host) => {
    if (host === null) return true; // No browser leaves it out.
    if (host.startsWith("[")) return true;
    const name = host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
    return known.has(name) || name.endsWith(".localhost") || /^\d+(\.\d+){3}$/.test(name);
  };
}
