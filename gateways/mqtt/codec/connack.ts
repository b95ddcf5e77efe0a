/**
 * CONNACK: the server's answer to CONNECT (§3.2).
 *
 * @module
 */
import { packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { malformed } from "./protocol_error.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

export interface Connack {
  readonly kind: "connack";
  readonly sessionPresent: boolean;
  /** MQTT 5: a reason code. MQTT 3: a return code from 0 to 5. 0 is success in both. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

export function readConnack(reader: PacketReader, version: ProtocolVersion): Connack {
  const flags = reader.byte();
  if (flags > 1) throw malformed("reserved connack flags set", "MQTT-3.2.2-1");
  const reasonCode = reader.byte();
  const properties = version === 5 && !reader.done
    ? readProperties(reader, "connack")
    : noProperties;
  reader.finish();
  return { kind: "connack", sessionPresent: flags === 1, reasonCode, properties };
}

export function writeConnack(
  writer: PacketWriter,
  packet: Connack,
  version: ProtocolVersion,
): void {
  writer.byte(packetTypes.connack << 4);
  const start = writer.openLength();
  writer.byte(packet.sessionPresent ? 1 : 0);
  writer.byte(packet.reasonCode);
  if (version === 5) writeProperties(writer, packet.properties, "connack");
  writer.closeLength(start);
}
