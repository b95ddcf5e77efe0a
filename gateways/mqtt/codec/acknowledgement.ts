/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7): four packets of one shape. The common form,
 * success without properties, is four bytes and costs no allocation.
 *
 * @module
 */
import { fixedFlags, packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { checkReasonCode } from "./permitted_codes.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import type { PacketReader } from "./reader.ts";
import { reasonCodes } from "./reason_code.ts";
import type { PacketWriter } from "./writer.ts";

export type AcknowledgementKind = "puback" | "pubrec" | "pubrel" | "pubcomp";

export interface Acknowledgement {
  readonly kind: AcknowledgementKind;
  readonly packetId: number;
  /** 0 before MQTT 5. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** The kind of packet type 4 to 7. */
export function acknowledgementKind(type: number): AcknowledgementKind {
  return type === packetTypes.puback
    ? "puback"
    : type === packetTypes.pubrec
    ? "pubrec"
    : type === packetTypes.pubrel
    ? "pubrel"
    : "pubcomp";
}

export function readAcknowledgement(
  reader: PacketReader,
  kind: AcknowledgementKind,
  version: ProtocolVersion,
): Acknowledgement {
  const packetId = reader.packetId();
  let reasonCode: number = reasonCodes.success;
  let properties = noProperties;
  if (version === 5 && !reader.done) {
    reasonCode = reader.byte();
    checkReasonCode(kind, reasonCode);
    if (!reader.done) properties = readProperties(reader, kind);
  }
  reader.finish();
  return { kind, packetId, reasonCode, properties };
}

/** Writes what `version` needs: before MQTT 5 neither reason code nor properties exist. */
export function writeAcknowledgement(
  writer: PacketWriter,
  packet: Acknowledgement,
  version: ProtocolVersion,
): void {
  const { kind, packetId, reasonCode, properties } = packet;
  if (version !== 5 || (reasonCode === 0 && properties === noProperties)) {
    return writeAcknowledged(writer, kind, packetId);
  }
  const type = packetTypes[kind];
  writer.byte((type << 4) | fixedFlags(type));
  const start = writer.openLength();
  writer.packetId(packetId);
  writer.byte(reasonCode);
  if (properties !== noProperties) writeProperties(writer, properties, kind);
  writer.closeLength(start);
}

/** The four bytes that say success. */
export function writeAcknowledged(
  writer: PacketWriter,
  kind: AcknowledgementKind,
  packetId: number,
): void {
  const type = packetTypes[kind];
  writer.reserve(4);
  writer.bytes[writer.length++] = (type << 4) | fixedFlags(type);
  writer.bytes[writer.length++] = 2;
  writer.packetId(packetId);
}
