/**
 * A message as bytes: to another shard, and to the disk. It is a PUBLISH of MQTT 5 with its expiry
 * before it.
 *
 * @module
 */
import type { Qos } from "../codec/publish.ts";
import { PublishView, writePublish } from "../codec/publish.ts";
import { PacketReader } from "../codec/reader.ts";
import type { PacketWriter } from "../codec/writer.ts";
import { Message } from "./message.ts";

const noExpiryMs = Number.MAX_SAFE_INTEGER;

/** Appends the message. Throws a `RangeError` for one that cannot be written. */
export function writeMessage(writer: PacketWriter, message: Message): void {
  const { topic, payload, qos, retain, properties, expiresMs } = message;
  // To the ms: rounded to seconds, twice on its way, a message would outlive its own interval.
  const at = expiresMs === Infinity ? noExpiryMs : Math.max(0, Math.ceil(expiresMs));
  writer.uint32(Math.floor(at / 0x1_0000_0000));
  writer.uint32(at % 0x1_0000_0000);
  const packetId = qos === 0 ? 0 : 1;
  writePublish(
    writer,
    { kind: "publish", topic, payload, qos, dup: false, retain, packetId, properties },
    5,
  );
}

/** Reads the message at the reader's place. Throws a `ProtocolError` when there is none. */
export function readMessage(reader: PacketReader): Message {
  const expiresMs = reader.uint32() * 0x1_0000_0000 + reader.uint32();
  const first = reader.byte();
  const length = reader.varint();
  const body = reader.take(length);
  const view = new PublishView();
  view.read(5, first & 0x0f, body, 0, body.length);
  const { topic, payload, qos, retain, properties } = view.copy();
  return new Message({
    topic,
    payload,
    qos: qos satisfies Qos,
    retain,
    properties,
    expiresMs: expiresMs === noExpiryMs ? Infinity : expiresMs,
  });
}
