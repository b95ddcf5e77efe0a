/**
 * A will as bytes: a PUBLISH of MQTT 5. Its delay stands beside it.
 *
 * @module
 */
import type { Will } from "../codec/connect.ts";
import { PublishView, writePublish } from "../codec/publish.ts";
import { PacketReader } from "../codec/reader.ts";
import { PacketWriter } from "../codec/writer.ts";

export function encodeWill({ topic, payload, qos, retain, properties }: Will): Uint8Array {
  const writer = new PacketWriter();
  const { willDelayIntervalS: _delay, ...kept } = properties;
  const packetId = qos === 0 ? 0 : 1;
  const packet = { kind: "publish", topic, payload, qos, dup: false, retain, packetId } as const;
  writePublish(writer, { ...packet, properties: kept }, 5);
  return writer.bytes.slice(0, writer.length);
}

/** @throws {ProtocolError} when it is none. */
export function decodeWill(bytes: Uint8Array | undefined): Will | undefined {
  if (bytes === undefined) return undefined;
  const reader = new PacketReader(bytes);
  const first = reader.byte();
  const body = reader.take(reader.varint());
  const view = new PublishView();
  view.read(5, first & 0x0f, body, 0, body.length);
  const { topic, payload, qos, retain, properties } = view.copy();
  return { topic, payload, qos, retain, properties };
}
