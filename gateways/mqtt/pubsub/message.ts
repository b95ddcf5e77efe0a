/**
 * A message on its way from a publisher to subscribers: a copy of what came, shared by everybody
 * who gets it.
 *
 * @module
 */
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import type { Properties } from "../codec/property_table.ts";
import { type Publish, type Qos, writePublish } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import type { OutboundAlias } from "./outbound_aliases.ts";
import type { ShareTurn } from "./shared_out.ts";

export interface MessageFields {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Wall time in ms after which it is not delivered any more; `Infinity`: never. */
  readonly expiresMs: number;
}

/** How one subscriber gets a message. */
export interface Delivery {
  readonly qos: Qos;
  readonly retain: boolean;
  /** Subscription identifiers of the subscriptions it matched. */
  readonly ids: readonly number[];
  /** Another member is to have it when this one goes before it has it. */
  readonly share?: Share;
}

/** Of which shared subscription one member is to have a message. */
export interface Share extends ShareTurn {
  /** See {@linkcode SentMarks}. */
  readonly mark: string | undefined;
}

/** A PUBLISH as bytes, and where its packet identifier goes. */
interface Encoded {
  readonly bytes: Uint8Array;
  readonly idAt: number;
}

/** What an object costs beside its payload and its texts. */
const overheadBytes = 200;

/** See the module. */
export class Message implements MessageFields {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  readonly expiresMs: number;
  /** Estimate of what it holds. */
  readonly bytes: number;
  /** Goes to many, so that encoding it once pays. */
  shared = false;
  #encoded: Encoded[] | undefined;

  constructor(fields: MessageFields) {
    this.topic = fields.topic;
    this.payload = fields.payload;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.properties = fields.properties;
    this.expiresMs = fields.expiresMs;
    this.bytes = overheadBytes + fields.payload.length + 2 * fields.topic.length +
      propertiesBytes(fields.properties);
  }

  /** From the properties of a PUBLISH or a will: those that go on to subscribers. */
  static of(fields: Omit<MessageFields, "expiresMs">, nowMs: number): Message {
    const { messageExpiryIntervalS } = fields.properties;
    const expiresMs = messageExpiryIntervalS === undefined
      ? Infinity
      : nowMs + messageExpiryIntervalS * 1_000;
    return new Message({ ...fields, properties: forwarded(fields.properties), expiresMs });
  }

  expired(nowMs: number): boolean {
    return this.expiresMs <= nowMs;
  }

  /** Appends the PUBLISH. `packetId` is 0 for QoS 0. */
  write(
    writer: PacketWriter,
    version: ProtocolVersion,
    { qos, retain, ids }: Delivery,
    packetId: number,
    nowMs: number,
    alias?: OutboundAlias,
  ): void {
    if (!this.shared || ids.length > 0 || this.expiresMs !== Infinity || alias !== undefined) {
      const publish = this.#publish(qos, retain, ids, packetId, nowMs);
      return writePublish(writer, alias === undefined ? publish : aliased(publish, alias), version);
    }
    const slot = (version === 5 ? 6 : 0) + 2 * qos + (retain ? 1 : 0);
    const { bytes, idAt } = (this.#encoded ??= [])[slot] ??= this.#encode(version, qos, retain);
    const start = writer.length;
    writer.raw(bytes);
    if (qos === 0) return;
    writer.bytes[start + idAt] = packetId >>> 8;
    writer.bytes[start + idAt + 1] = packetId;
  }

  #publish(
    qos: Qos,
    retain: boolean,
    ids: readonly number[],
    packetId: number,
    nowMs: number,
  ): Publish {
    let { properties } = this;
    if (ids.length > 0) properties = { ...properties, subscriptionIdentifiers: ids };
    if (this.expiresMs !== Infinity) {
      const messageExpiryIntervalS = Math.max(1, Math.ceil((this.expiresMs - nowMs) / 1_000));
      properties = { ...properties, messageExpiryIntervalS };
    }
    const { topic, payload } = this;
    return { kind: "publish", topic, payload, qos, dup: false, retain, packetId, properties };
  }

  #encode(version: ProtocolVersion, qos: Qos, retain: boolean): Encoded {
    const writer = new PacketWriter(this.bytes);
    const packetId = qos === 0 ? 0 : 1;
    writePublish(writer, this.#publish(qos, retain, [], packetId, 0), version);
    const bytes = writer.bytes.subarray(0, writer.length);
    let at = 2;
    while (bytes[at - 1]! >= 0x80) at++;
    return { bytes, idAt: at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!) };
  }
}

function aliased(publish: Publish, { alias, known }: OutboundAlias): Publish {
  const properties = { ...publish.properties, topicAlias: alias };
  return { ...publish, topic: known ? "" : publish.topic, properties };
}

/** What a server sends on unchanged (MQTT 5 §3.3.2.3); the expiry goes on as a time. */
function forwarded(properties: Properties): Properties {
  if (properties === noProperties) return noProperties;
  const {
    messageExpiryIntervalS: _expiry,
    topicAlias: _alias,
    subscriptionIdentifiers: _ids,
    willDelayIntervalS: _delay,
    ...rest
  } = properties;
  return Object.keys(rest).length === 0 ? noProperties : rest;
}

function propertiesBytes(properties: Properties): number {
  if (properties === noProperties) return 0;
  let bytes = 200;
  for (const [name, value] of properties.userProperties ?? []) {
    bytes += 50 + 2 * (name.length + value.length);
  }
  const { contentType = "", responseTopic = "", correlationData } = properties;
  return bytes + 2 * (contentType.length + responseTopic.length) + (correlationData?.length ?? 0);
}
