/**
 * SUBACK and UNSUBACK (§3.9, §3.11): one reason code per topic filter, in the filters' order.
 *
 * @module
 */
import { packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

export interface Suback {
  readonly kind: "suback" | "unsuback";
  readonly packetId: number;
  /** Always empty for UNSUBACK before MQTT 5. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

export function readSuback(
  reader: PacketReader,
  kind: Suback["kind"],
  version: ProtocolVersion,
): Suback {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, kind) : noProperties;
  if (kind === "unsuback" && version !== 5) reader.finish();
  return { kind, packetId, reasonCodes: [...reader.take(reader.end - reader.at)], properties };
}

export function writeSuback(writer: PacketWriter, packet: Suback, version: ProtocolVersion): void {
  const { kind } = packet;
  writer.byte(packetTypes[kind] << 4);
  const start = writer.openLength();
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, kind);
  if (version === 5 || kind === "suback") {
    for (const code of packet.reasonCodes) writer.byte(code);
  }
  writer.closeLength(start);
}
