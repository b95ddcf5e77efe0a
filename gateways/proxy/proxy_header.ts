/**
 * The header by which a proxy tells whose connection it carries: the PROXY protocol, versions 1
 * and 2, as HAProxy's proxy-protocol.txt has it.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "node:net";
import { unmapped } from "./ip_networks.ts";

/** It comes before all else, so what it holds is the proxy's fault and not the client's. */
export class ProxyHeaderError extends Error {
  override readonly name = "ProxyHeaderError";
}

/** Who connected to the proxy. */
export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeaderStep =
  /** So many more bytes belong to the header for sure. */
  | { readonly kind: "missing"; readonly bytes: number }
  /** `client` is absent when the proxy speaks for itself, or does not know. */
  | { readonly kind: "whole"; readonly client?: ProxiedClient };

/** The beginning of version 2, which no protocol has that is in use. */
const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const fixedBytes = 16;
/** What follows the fixed part: addresses, and what proxies add to them. */
const variableBytesMax = 4_096;
const lineBytesMax = 107;
const shortest = "PROXY UNKNOWN\r\n";

/**
 * What is known from the header's beginning. Bytes beyond it are never asked for: they are the
 * client's.
 *
 * @throws {ProxyHeaderError} when it is none.
 */
export function proxyHeaderStep(bytes: Uint8Array): ProxyHeaderStep {
  const binary = bytes[0] === signature[0];
  const expected = binary ? signature : [...shortest.slice(0, 6)].map((c) => c.charCodeAt(0));
  for (let i = 0; i < Math.min(bytes.length, expected.length); i++) {
    if (bytes[i] !== expected[i]) throw new ProxyHeaderError("no PROXY header came");
  }
  if (bytes.length < shortest.length) return missing(shortest.length - bytes.length);
  return binary ? versionTwo(bytes) : versionOne(bytes);
}

const missing = (bytes: number): ProxyHeaderStep => ({ kind: "missing", bytes });

function versionOne(bytes: Uint8Array): ProxyHeaderStep {
  const line = String.fromCharCode(...bytes.subarray(0, lineBytesMax));
  if (!line.endsWith("\r\n")) {
    if (/[^\x20-\x7e]/.test(line.replace(/\r$/, ""))) {
      throw new ProxyHeaderError("the PROXY line is damaged");
    }
    if (bytes.length >= lineBytesMax) throw new ProxyHeaderError("the PROXY line is too long");
    // Each field that has not begun takes a space and a character at least.
    const fieldsToCome = line.startsWith("PROXY T") ? Math.max(0, 6 - line.split(" ").length) : 0;
    return missing(line.endsWith("\r") ? 1 : 2 * fieldsToCome + 2);
  }
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?\r\n$/.test(line)) return { kind: "whole" };
  const [, family, source = "", destination = "", port = "", destinationPort = ""] =
    /^PROXY (TCP[46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})\r\n$/.exec(line) ?? [];
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  const sound = family !== undefined && isAddress(source) && isAddress(destination) &&
    isPort(port) && isPort(destinationPort);
  if (!sound) throw new ProxyHeaderError("the PROXY line is damaged");
  return { kind: "whole", client: { address: canonical(source), port: Number(port) } };
}

const isPort = (text: string): boolean => Number(text) <= 65_535 && String(Number(text)) === text;

/** Bytes of both addresses and ports, by family and transport; those that are not here are refused. */
const addressBytes: ReadonlyMap<number, number> = new Map([
  [0x00, 0], // unspecified
  [0x11, 12], // TCP over IPv4
  [0x21, 36], // TCP over IPv6
  [0x31, 216], // a Unix socket
]);

function versionTwo(bytes: Uint8Array): ProxyHeaderStep {
  if (bytes.length < fixedBytes) return missing(fixedBytes - bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const command = view.getUint8(12);
  const family = view.getUint8(13);
  const variableBytes = view.getUint16(14);
  if (command !== 0x20 && command !== 0x21) {
    throw new ProxyHeaderError(`the PROXY header has the command 0x${command.toString(16)}`);
  }
  const local = command === 0x20;
  const needed = addressBytes.get(family);
  if (!local && needed === undefined) {
    throw new ProxyHeaderError(`the PROXY header has the family 0x${family.toString(16)}`);
  }
  if (variableBytes > variableBytesMax) {
    throw new ProxyHeaderError(`the PROXY header is too long: ${variableBytes} bytes`);
  }
  if (!local && variableBytes < (needed ?? 0)) {
    throw new ProxyHeaderError("the PROXY header is shorter than its addresses");
  }
  const wholeBytes = fixedBytes + variableBytes;
  if (bytes.length < wholeBytes) return missing(wholeBytes - bytes.length);
  if (local) return { kind: "whole" };
  if (family === 0x11) {
    const address = bytes.subarray(fixedBytes, fixedBytes + 4).join(".");
    return { kind: "whole", client: { address, port: view.getUint16(fixedBytes + 8) } };
  }
  if (family === 0x21) {
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(fixedBytes + 2 * i));
    const address = canonical(groups.map((group) => group.toString(16)).join(":"));
    return { kind: "whole", client: { address, port: view.getUint16(fixedBytes + 32) } };
  }
  return { kind: "whole" };
}

/** An address as everybody else here writes it: limits and bans know it by its text. */
function canonical(address: string): string {
  if (!address.includes(":")) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const parts = [high, low].flatMap((
    group,
  ) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
  return unmapped(`::ffff:${parts.join(".")}`);
}
