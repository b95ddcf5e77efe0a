/**
 * Sets of IP addresses, as options name them: single ones and networks.
 *
 * @module
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

interface IpNetwork {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/**
 * Reads an address, or a network with the length of its prefix.
 *
 * @returns `undefined` when the text is neither.
 *
 * @example
 * ```ts
 * import { parseIpNetwork } from "./ip_networks.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseIpNetwork("10.0.0.0/8"), { address: "10.0.0.0", prefix: 8, family: "ipv4" });
 * assert.deepEqual(parseIpNetwork("::1"), { address: "::1", prefix: 128, family: "ipv6" });
 * assert.equal(parseIpNetwork("10.0.0.0/33"), undefined);
 * ```
 */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, address = "", length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
  if (family === undefined) return undefined;
  const prefixMax = family === "ipv4" ? 32 : 128;
  const prefix = length === undefined ? prefixMax : Number(length);
  return prefix <= prefixMax ? { address, prefix, family } : undefined;
}

/** An IPv4 address that was written as one of IPv6 (RFC 4291, section 2.5.5.2) is IPv4 all the same. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** See the module. */
export class IpNetworks {
  readonly #networks = new BlockList();

  /** @throws {TypeError} when one cannot be read. */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const network = parseIpNetwork(text);
      if (network === undefined) throw new TypeError(`Cannot read the network ${text}`);
      this.#networks.addSubnet(network.address, network.prefix, network.family);
    }
  }

  has(address: string): boolean {
    const plain = unmapped(address);
    return this.#networks.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
  }
}
