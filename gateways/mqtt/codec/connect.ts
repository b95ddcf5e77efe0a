/**
 * CONNECT: the first packet of a client (MQTT 5 §3.1, MQTT 3.1.1 §3.1).
 *
 * @module
 */
import { packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { malformed, ProtocolError } from "./protocol_error.ts";
import type { PacketReader } from "./reader.ts";
import { reasonCodes } from "./reason_code.ts";
import type { Qos } from "./publish.ts";
import type { PacketWriter } from "./writer.ts";

/** What the server publishes for a client that went away without DISCONNECT. */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface Connect {
  readonly kind: "connect";
  readonly version: ProtocolVersion;
  /** Clean Start in MQTT 5, Clean Session before. */
  readonly clean: boolean;
  /** Seconds; 0 switches it off. */
  readonly keepAliveS: number;
  /** Empty: the server is to choose. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly will?: Will;
  readonly properties: Properties;
}

const flag = { username: 0x80, password: 0x40, willRetain: 0x20, will: 0x04, clean: 0x02 } as const;

export function readConnect(reader: PacketReader): Connect {
  const version = readVersion(reader);
  const flags = reader.byte();
  if ((flags & 1) !== 0) throw malformed("reserved connect flag set", "MQTT-3.1.2-3");
  const keepAliveS = reader.uint16();
  const properties = version === 5 ? readProperties(reader, "connect") : noProperties;
  const clientId = reader.text();
  const will = readWill(reader, flags, version);
  if (version !== 5 && (flags & flag.password) !== 0 && (flags & flag.username) === 0) {
    throw malformed("password without user name", "MQTT-3.1.2-22");
  }
  const username = (flags & flag.username) === 0 ? undefined : reader.text();
  const password = (flags & flag.password) === 0 ? undefined : reader.binary();
  reader.finish();
  return {
    kind: "connect",
    version,
    clean: (flags & flag.clean) !== 0,
    keepAliveS,
    clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(will !== undefined && { will }),
    properties,
  };
}

export function writeConnect(writer: PacketWriter, packet: Connect): void {
  const { version, will } = packet;
  writer.byte(packetTypes.connect << 4);
  const start = writer.openLength();
  writer.text(version === 3 ? "MQIsdp" : "MQTT");
  writer.byte(version);
  writer.byte(
    (packet.clean ? flag.clean : 0) |
      (packet.username === undefined ? 0 : flag.username) |
      (packet.password === undefined ? 0 : flag.password) |
      (will === undefined ? 0 : flag.will | (will.qos << 3) | (will.retain ? flag.willRetain : 0)),
  );
  writer.uint16(packet.keepAliveS);
  if (version === 5) writeProperties(writer, packet.properties, "connect");
  writer.text(packet.clientId);
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, will.properties, "will");
    writer.text(will.topic);
    writer.binary(will.payload);
  }
  if (packet.username !== undefined) writer.text(packet.username);
  if (packet.password !== undefined) writer.binary(packet.password);
  writer.closeLength(start);
}

function readVersion(reader: PacketReader): ProtocolVersion {
  const name = reader.text();
  if (name !== "MQTT" && name !== "MQIsdp") throw malformed("another protocol", "MQTT-3.1.2-1");
  const level = reader.byte();
  if (name === "MQTT" ? level === 4 || level === 5 : level === 3) return level as ProtocolVersion;
  throw new ProtocolError(
    reasonCodes.unsupportedProtocolVersion,
    `${name} level ${level}`,
    "MQTT-3.1.2-2",
  );
}

function readWill(
  reader: PacketReader,
  flags: number,
  version: ProtocolVersion,
): Will | undefined {
  const qos = (flags >> 3) & 0b11;
  const retain = (flags & flag.willRetain) !== 0;
  if ((flags & flag.will) === 0) {
    if (qos !== 0) throw malformed("will QoS without will", "MQTT-3.1.2-11");
    if (retain) throw malformed("will retain without will", "MQTT-3.1.2-13");
    return undefined;
  }
  if (qos === 3) throw malformed("will QoS 3", "MQTT-3.1.2-12");
  const properties = version === 5 ? readProperties(reader, "will") : noProperties;
  return { topic: reader.text(), payload: reader.binary(), qos: qos as Qos, retain, properties };
}
