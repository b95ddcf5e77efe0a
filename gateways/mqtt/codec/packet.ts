/**
 * All control packets as one closed union, read and written by kind.
 *
 * @module
 */
import {
  type Acknowledgement,
  acknowledgementKind,
  readAcknowledgement,
  writeAcknowledgement,
} from "./acknowledgement.ts";
import { type Connack, readConnack, writeConnack } from "./connack.ts";
import { type Connect, readConnect, writeConnect } from "./connect.ts";
import { type Disconnect, readDisconnect, writeDisconnect } from "./disconnect.ts";
import { checkFlags, packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { type Ping, readPing, writePing } from "./ping.ts";
import { malformed } from "./protocol_error.ts";
import { type Publish, PublishView, writePublish } from "./publish.ts";
import { PacketReader } from "./reader.ts";
import { readSuback, type Suback, writeSuback } from "./suback.ts";
import { readSubscribe, type Subscribe, writeSubscribe } from "./subscribe.ts";
import { readUnsubscribe, type Unsubscribe, writeUnsubscribe } from "./unsubscribe.ts";
import { PacketWriter } from "./writer.ts";

export type Packet =
  | Connect
  | Connack
  | Publish
  | Acknowledgement
  | Subscribe
  | Suback
  | Unsubscribe
  | Ping
  | Disconnect;

/** What is not PUBLISH or an acknowledgement: rare enough to be an object each. */
export type ControlPacket = Exclude<Packet, Publish | Acknowledgement>;

/**
 * Reads the body `bytes[start..end)` behind a fixed header whose first byte is `first`. What it
 * returns holds copies only. Throws a `ProtocolError`.
 */
export function readPacket(
  version: ProtocolVersion,
  first: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Packet {
  const type = first >> 4;
  if (type === packetTypes.publish) {
    const view = new PublishView();
    view.read(version, first & 0x0f, bytes, start, end);
    return view.copy();
  }
  checkFlags(type, first & 0x0f);
  const reader = new PacketReader(bytes, start, end);
  return type >= packetTypes.puback && type <= packetTypes.pubcomp
    ? readAcknowledgement(reader, acknowledgementKind(type), version)
    : readControlPacket(type, reader, version);
}

/** Reads the body of a packet whose flags were checked. */
export function readControlPacket(
  type: number,
  reader: PacketReader,
  version: ProtocolVersion,
): ControlPacket {
  switch (type) {
    case packetTypes.connect:
      return readConnect(reader);
    case packetTypes.connack:
      return readConnack(reader, version);
    case packetTypes.subscribe:
      return readSubscribe(reader, version);
    case packetTypes.suback:
      return readSuback(reader, "suback", version);
    case packetTypes.unsubscribe:
      return readUnsubscribe(reader, version);
    case packetTypes.unsuback:
      return readSuback(reader, "unsuback", version);
    case packetTypes.pingreq:
      return readPing(reader, "pingreq");
    case packetTypes.pingresp:
      return readPing(reader, "pingresp");
    case packetTypes.disconnect:
      return readDisconnect(reader, "disconnect", version);
    case packetTypes.auth:
      if (version === 5) return readDisconnect(reader, "auth", version);
  }
  throw malformed(`packet type ${type}`, "MQTT-2.1.2");
}

/** Appends a packet. CONNECT goes by its own version. Throws a `RangeError` for what cannot be sent. */
export function writePacket(writer: PacketWriter, packet: Packet, version: ProtocolVersion): void {
  switch (packet.kind) {
    case "connect":
      return writeConnect(writer, packet);
    case "connack":
      return writeConnack(writer, packet, version);
    case "publish":
      return writePublish(writer, packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return writeAcknowledgement(writer, packet, version);
    case "subscribe":
      return writeSubscribe(writer, packet, version);
    case "suback":
    case "unsuback":
      return writeSuback(writer, packet, version);
    case "unsubscribe":
      return writeUnsubscribe(writer, packet, version);
    case "pingreq":
    case "pingresp":
      return writePing(writer, packet.kind);
    case "disconnect":
    case "auth":
      return writeDisconnect(writer, packet, version);
    default:
      return packet satisfies never;
  }
}

/** One packet as bytes of its own. */
export function encodePacket(packet: Packet, version: ProtocolVersion): Uint8Array<ArrayBuffer> {
  const writer = new PacketWriter();
  writePacket(writer, packet, version);
  return writer.bytes.slice(0, writer.length);
}
