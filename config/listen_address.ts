/**
 * `host:port` as a listen option has it.
 *
 * @module
 */

export interface ListenAddress {
  /** An address or a name, IPv6 without brackets. */
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/**
 * Reads `host:port` or `[v6]:port`.
 *
 * @returns `undefined` when the text is not of that form.
 *
 * @example
 * ```ts
 * import { parseListenAddress } from "./listen_address.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseListenAddress("127.0.0.1:1883"), { hostname: "127.0.0.1", port: 1883 });
 * assert.deepEqual(parseListenAddress("[::1]:8080"), { hostname: "::1", port: 8080 });
 * assert.equal(parseListenAddress("1883"), undefined);
 * ```
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return hostname === undefined || port > 65_535 ? undefined : { hostname, port };
}

/** Whether only this machine can reach the address. */
export function isLoopback({ hostname }: ListenAddress): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The form that {@linkcode parseListenAddress} reads. */
export function formatListenAddress({ hostname, port }: ListenAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
