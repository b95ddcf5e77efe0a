/**
 * The control packet types of MQTT and the flags their fixed header must carry.
 *
 * @module
 */
import { malformed } from "./protocol_error.ts";

/** Level byte of CONNECT: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5. */
export type ProtocolVersion = 3 | 4 | 5;

/** Packet type by kind (MQTT 5, table 2-1). */
export const packetTypes = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

export type PacketKind = keyof typeof packetTypes;

/** What one end may receive, as a bit per packet type. */
export type Role = "server" | "client";

const bit = (kind: PacketKind): number => 1 << packetTypes[kind];

const bothWays = bit("publish") | bit("puback") | bit("pubrec") | bit("pubrel") | bit("pubcomp") |
  bit("disconnect") | bit("auth");

const receives: Readonly<Record<Role, number>> = {
  server: bothWays | bit("connect") | bit("subscribe") | bit("unsubscribe") | bit("pingreq"),
  client: bothWays | bit("connack") | bit("suback") | bit("unsuback") | bit("pingresp"),
};

/** Packet types `role` may receive, bit `1 << type` each. AUTH exists only in MQTT 5. */
export function receivableTypes(role: Role, version: ProtocolVersion): number {
  const all = receives[role];
  if (version === 5) return all;
  // MQTT 3: only the client sends DISCONNECT [MQTT-3.14.4-1].
  return all & ~bit("auth") & ~(role === "client" ? bit("disconnect") : 0);
}

/** The low four bits of the fixed header's first byte; PUBLISH has its own. */
export function fixedFlags(type: number): number {
  return type === packetTypes.pubrel || type === packetTypes.subscribe ||
      type === packetTypes.unsubscribe
    ? 0b0010
    : 0;
}

/** Refuses reserved bits that are not as they must be. */
export function checkFlags(type: number, flags: number): void {
  if (flags !== fixedFlags(type)) {
    throw malformed(`fixed header flags ${flags} of packet type ${type}`, "MQTT-2.1.3-1");
  }
}
