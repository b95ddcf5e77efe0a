/**
 * Conversations in bytes, with sessions in memory: what a client sends is spelled by hand, so that
 * nothing that our own writer would refuse is out of reach.
 *
 * @module
 */
import { encodePacket, type Packet } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import type { Properties } from "../codec/property_table.ts";
import type { Publish, Qos } from "../codec/publish.ts";
import type { Subscription } from "../codec/subscribe.ts";
import { type MemoryConnection, settle } from "../endpoint/testing.ts";

/** Hexadecimal digits, with `'text'` in quotes, as bytes: `30 05 0003 'a/b'`. */
export function bytesOf(spelled: string): Uint8Array {
  const hex = spelled.replaceAll(
    /'([^']*)'/g,
    (_, text: string) => new TextEncoder().encode(text).toHex(),
  );
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

/** The bytes with their fixed header: the remaining length is worked out. */
export function framed(first: number, body: string): Uint8Array {
  const bytes = bytesOf(body);
  if (bytes.length > 127) throw new RangeError("Cannot frame more than 127 bytes");
  return Uint8Array.of(first, bytes.length, ...bytes);
}

/** Sends packets, or bytes, and takes what is answered. */
export async function say(
  connection: MemoryConnection,
  version: 4 | 5,
  ...parts: readonly (Packet | Uint8Array)[]
): Promise<Packet[]> {
  connection.feed(
    ...parts.map((part) => part instanceof Uint8Array ? part : encodePacket(part, version)),
  );
  await settle();
  return connection.sent(version);
}

/** Whether the server has ended its side of the connection. */
export const hasEnded = ({ closed, halfClosed }: MemoryConnection): boolean => closed || halfClosed;

export function subscribeTo(
  filter: string,
  qos: Qos = 0,
  options: Partial<Subscription> = {},
  properties: Properties = noProperties,
): Packet {
  const defaults = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return {
    kind: "subscribe",
    packetId: 77,
    subscriptions: [{ filter, qos, ...defaults, ...options }],
    properties,
  };
}

export const acknowledgement = (
  kind: "puback" | "pubrec" | "pubrel" | "pubcomp",
  packetId: number,
  reasonCode = 0,
): Packet => ({ kind, packetId, reasonCode, properties: noProperties });

/** The messages among what was answered. */
export const messagesIn = (packets: readonly Packet[]): Publish[] =>
  packets.filter((packet) => packet.kind === "publish");
