/**
 * DISCONNECT and AUTH (§3.14, §3.15): a reason code and properties, both left out when they say
 * nothing. Before MQTT 5 DISCONNECT is empty and AUTH does not exist.
 *
 * @module
 */
import { packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { checkReasonCode } from "./permitted_codes.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import type { PacketReader } from "./reader.ts";
import { reasonCodes } from "./reason_code.ts";
import type { PacketWriter } from "./writer.ts";

export interface Disconnect {
  readonly kind: "disconnect" | "auth";
  readonly reasonCode: number;
  readonly properties: Properties;
}

export function readDisconnect(
  reader: PacketReader,
  kind: Disconnect["kind"],
  version: ProtocolVersion,
): Disconnect {
  let reasonCode: number = reasonCodes.success;
  let properties = noProperties;
  if (version === 5 && !reader.done) {
    reasonCode = reader.byte();
    checkReasonCode(kind, reasonCode);
    if (!reader.done) properties = readProperties(reader, kind);
  }
  reader.finish();
  return { kind, reasonCode, properties };
}

export function writeDisconnect(
  writer: PacketWriter,
  packet: Disconnect,
  version: ProtocolVersion,
): void {
  const { kind, reasonCode, properties } = packet;
  writer.byte(packetTypes[kind] << 4);
  const start = writer.openLength();
  if (version === 5 && (reasonCode !== reasonCodes.success || properties !== noProperties)) {
    writer.byte(reasonCode);
    if (properties !== noProperties) writeProperties(writer, properties, kind);
  }
  writer.closeLength(start);
}
