/**
 * UNSUBSCRIBE (§3.10).
 *
 * @module
 */
import { fixedFlags, packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { violation } from "./protocol_error.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

export interface Unsubscribe {
  readonly kind: "unsubscribe";
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

export function readUnsubscribe(reader: PacketReader, version: ProtocolVersion): Unsubscribe {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, "unsubscribe") : noProperties;
  if (reader.done) throw violation("UNSUBSCRIBE without a topic filter", "MQTT-3.10.3-2");
  const filters: string[] = [];
  while (!reader.done) filters.push(reader.text());
  return { kind: "unsubscribe", packetId, filters, properties };
}

export function writeUnsubscribe(
  writer: PacketWriter,
  packet: Unsubscribe,
  version: ProtocolVersion,
): void {
  writer.byte((packetTypes.unsubscribe << 4) | fixedFlags(packetTypes.unsubscribe));
  const start = writer.openLength();
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, "unsubscribe");
  for (const filter of packet.filters) writer.text(filter);
  writer.closeLength(start);
}
