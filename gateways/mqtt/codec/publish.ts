/**
 * PUBLISH (§3.3), the packet that carries readings. It is read into a reused {@linkcode PublishView}
 * of ranges: no string, no copy and, without properties, no allocation per message.
 *
 * @module
 */
import { packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { malformed, ProtocolError, violation } from "./protocol_error.ts";
import { PacketReader } from "./reader.ts";
import { reasonCodes } from "./reason_code.ts";
import { isText, isTopicName } from "./text.ts";
import type { PacketWriter } from "./writer.ts";

export type Qos = 0 | 1 | 2;

/** A PUBLISH by itself. */
export interface Publish {
  readonly kind: "publish";
  /** Empty only when `properties.topicAlias` stands for it. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly dup: boolean;
  readonly retain: boolean;
  /** 0 when `qos` is 0. */
  readonly packetId: number;
  readonly properties: Properties;
}

const topicAliasId = 0x23;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const noBytes = new Uint8Array(0);

/** Ranges of a PUBLISH in the buffer it was read from. Valid until the next one is read. */
export class PublishView {
  bytes: Uint8Array = noBytes;
  topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  qos = 0;
  dup = false;
  retain = false;
  packetId = 0;
  /** 0: none. Counts as a property, but is not in `properties` when it is the only one. */
  topicAlias = 0;
  properties: Properties = noProperties;

  /** Reads the body `bytes[start..end)`; `flags` are the fixed header's. */
  read(
    version: ProtocolVersion,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const qos = (flags >> 1) & 0b11;
    if (qos === 3) throw malformed("PUBLISH with QoS 3", "MQTT-3.3.1-4");
    this.bytes = bytes;
    this.qos = qos;
    this.dup = (flags & 0b1000) !== 0;
    this.retain = (flags & 1) !== 0;
    if (qos === 0 && this.dup) throw malformed("DUP with QoS 0", "MQTT-3.3.1-2");
    const topicStart = start + 2;
    if (topicStart > end) throw tooShort();
    const topicEnd = topicStart + ((bytes[start]! << 8) | bytes[start + 1]!);
    let at = topicEnd;
    if (qos > 0) {
      at += 2;
      if (at > end) throw tooShort();
      this.packetId = (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]!;
      if (this.packetId === 0) throw malformed("packet identifier 0", "MQTT-2.2.1-3");
    } else {
      if (at > end) throw tooShort();
      this.packetId = 0;
    }
    this.topicStart = topicStart;
    this.topicEnd = topicEnd;
    this.topicAlias = 0;
    this.properties = noProperties;
    if (version === 5) at = this.#readProperties(bytes, at, end);
    if (!isTopicName(bytes, topicStart, topicEnd)) this.#checkTopic(version);
    this.payloadStart = at;
    this.payloadEnd = end;
  }

  /** A copy that outlives the buffer. */
  copy(): Publish {
    const { topicAlias } = this;
    return {
      kind: "publish",
      topic: utf8.decode(this.bytes.subarray(this.topicStart, this.topicEnd)),
      payload: this.bytes.slice(this.payloadStart, this.payloadEnd),
      qos: this.qos as Qos,
      dup: this.dup,
      retain: this.retain,
      packetId: this.packetId,
      properties: topicAlias === 0 ? this.properties : { ...this.properties, topicAlias },
    };
  }

  /** Skips none and a topic alias by itself, which is what devices send, without an object. */
  #readProperties(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw tooShort();
    const length = bytes[at]!;
    if (length === 0) return at + 1;
    let alias: number | undefined;
    let next: number;
    if (length === 3 && at + 4 <= end && bytes[at + 1] === topicAliasId) {
      alias = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      next = at + 4;
    } else {
      const reader = new PacketReader(bytes, at, end);
      this.properties = readProperties(reader, "publish");
      alias = this.properties.topicAlias;
      next = reader.at;
    }
    if (alias === 0) {
      throw new ProtocolError(reasonCodes.topicAliasInvalid, "topic alias 0", "MQTT-3.3.2-8");
    }
    this.topicAlias = alias ?? 0;
    return next;
  }

  #checkTopic(version: ProtocolVersion): void {
    if (this.topicStart === this.topicEnd) {
      if (version === 5 && this.topicAlias !== 0) return;
      if (version === 5) throw violation("neither a topic nor an alias", "MQTT-3.3.2-1");
      throw malformed("an empty topic", "MQTT-4.7.3-1");
    }
    if (!isText(this.bytes, this.topicStart, this.topicEnd)) {
      throw malformed("a topic that is not UTF-8 or has U+0000", "MQTT-1.5.4-1");
    }
    throw new ProtocolError(
      reasonCodes.topicNameInvalid,
      "a topic with a wildcard",
      "MQTT-3.3.2-2",
    );
  }
}

export function writePublish(
  writer: PacketWriter,
  packet: Publish,
  version: ProtocolVersion,
): void {
  const { qos } = packet;
  writer.reserve(12 + packet.payload.length);
  writer.byte(
    (packetTypes.publish << 4) | (packet.dup ? 0b1000 : 0) | (qos << 1) | (packet.retain ? 1 : 0),
  );
  const start = writer.openLength();
  writer.text(packet.topic);
  if (qos > 0) writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, "publish");
  writer.raw(packet.payload);
  writer.closeLength(start);
}

function tooShort(): ProtocolError {
  return malformed("a PUBLISH that ends within a field", "MQTT-2.1.4");
}
