/**
 * Where a station should connect: rendezvous hashing of its name over the instances. Adding one
 * moves to it its share of the stations and no other; an instance that is nearly full comes last.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Instance } from "./account_store.ts";

/** From this share of its sessions on an instance is asked last. */
export const fullLoad = 0.9;

/**
 * The URLs, best first; the others are for when it is away.
 *
 * @example
 * ```ts
 * import { endpointsFor } from "./endpoints.ts";
 * import assert from "node:assert/strict";
 *
 * const instances = [{ url: "mqtts://a", load: 0.95 }, { url: "mqtts://b", load: 0.2 }];
 * assert.deepEqual(endpointsFor("UPB/RPi_1", instances), ["mqtts://b", "mqtts://a"]);
 * ```
 */
export function endpointsFor(
  name: string,
  instances: readonly Pick<Instance, "url" | "load">[],
): string[] {
  const scored = instances.map(({ url, load }) => ({
    url,
    full: load >= fullLoad,
    score: scoreOf(name, url),
  }));
  scored.sort((a, b) =>
    a.full !== b.full ? (a.full ? 1 : -1) : a.score < b.score ? 1 : a.score > b.score ? -1 : 0
  );
  return scored.map(({ url }) => url);
}

/**
 * Who listens on all addresses of its machine is reached by the name that it was asked at, unless
 * that is an IPv6 address and those listened on are IPv4's, or is itself all addresses.
 *
 * @param hostname as `URL` has it, IPv6 in brackets.
 *
 * @example
 * ```ts
 * import { reachedAt } from "./endpoints.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(reachedAt("mqtt://0.0.0.0:1883", "10.1.2.3"), "mqtt://10.1.2.3:1883");
 * assert.equal(reachedAt("mqtt://a.example:1883", "10.1.2.3"), "mqtt://a.example:1883");
 * ```
 */
export const reachedAt = (url: string, hostname: string): string =>
  url.replace(/^(\w+:\/\/)(0\.0\.0\.0|\[::\])(?=[:/]|$)/, (all, scheme, listened) => {
    const isOf = listened === "[::]" || !hostname.startsWith("[");
    return isOf && !everywhere.includes(hostname) ? `${scheme}${hostname}` : all;
  });

const everywhere = ["0.0.0.0", "[::]"];

const utf8 = new TextEncoder();

const scoreOf = (name: string, url: string): string =>
  sha256(utf8.encode(JSON.stringify([name, url]))).toHex();
