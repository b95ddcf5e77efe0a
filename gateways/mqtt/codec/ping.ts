/**
 * PINGREQ and PINGRESP (§3.12, §3.13): two bytes each.
 *
 * @module
 */
import { packetTypes } from "./packet_type.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

export interface Ping {
  readonly kind: "pingreq" | "pingresp";
}

const pings = { pingreq: { kind: "pingreq" }, pingresp: { kind: "pingresp" } } as const;

export function readPing(reader: PacketReader, kind: Ping["kind"]): Ping {
  reader.finish();
  return pings[kind];
}

export function writePing(writer: PacketWriter, kind: Ping["kind"]): void {
  writer.byte(packetTypes[kind] << 4);
  writer.byte(0);
}
