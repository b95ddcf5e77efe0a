import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { anyText } from "../../../runtime/testing/any_text.ts";
import { generate, type IPublishPacket, parser } from "mqtt-packet";
import { encodePacket, readPacket } from "./packet.ts";
import { packetSamples, sampleBytes } from "./testing/packet_samples.ts";
import { noProperties } from "./properties.ts";
import type { Publish, Qos } from "./publish.ts";

for (const sample of packetSamples) {
  Deno.test(`mqtt-packet reads ${sample.name} too`, () => {
    const kinds: unknown[] = [];
    const oracle = parser({ protocolVersion: sample.version });
    oracle.on("packet", (packet) => kinds.push(packet.cmd));
    oracle.on("error", (error) => assert.fail(error));
    oracle.parse(Buffer.from(sampleBytes(sample)));
    assert.deepEqual(kinds, [sample.packet.kind]);
  });
}

const publishes: fc.Arbitrary<Publish> = fc.record({
  kind: fc.constant("publish" as const),
  topic: anyText({ minLength: 1, maxLength: 60 })
    .filter((topic) => !/[+#\0]/.test(topic)),
  payload: fc.uint8Array({ maxLength: 300 }),
  qos: fc.constantFrom<Qos>(0, 1, 2),
  dup: fc.boolean(),
  retain: fc.boolean(),
  packetId: fc.integer({ min: 1, max: 65_535 }),
  properties: fc.constant(noProperties),
}, { noNullPrototype: true }).map((packet) =>
  packet.qos === 0 ? { ...packet, dup: false, packetId: 0 } : packet
);

function generated({ topic, payload, qos, dup, retain, packetId }: Publish): Uint8Array {
  const packet: IPublishPacket = {
    cmd: "publish",
    topic,
    payload: Buffer.from(payload),
    qos,
    dup,
    retain,
    ...(qos > 0 && { messageId: packetId }),
  };
  return generate(packet, { protocolVersion: 4 });
}

Deno.test("PUBLISH as mqtt-packet writes it, byte for byte, and read back", () => {
  fc.assert(
    fc.property(publishes, (packet) => {
      const expected = generated(packet);
      const bytes = encodePacket(packet, 4);
      assert.equal(bytes.toHex(), Uint8Array.from(expected).toHex());
      const body = bytes.findIndex((byte, i) => i > 0 && byte < 0x80) + 1;
      assert.deepEqual(readPacket(4, bytes[0]!, bytes, body, bytes.length), packet);
    }),
    { numRuns: 1_000, seed: 4 },
  );
});

Deno.test("lengths of one to four bytes, as mqtt-packet writes them", () => {
  for (const size of [117, 118, 16_373, 16_374, 2_097_141, 2_097_142]) {
    const packet: Publish = {
      kind: "publish",
      topic: "device/1",
      payload: new Uint8Array(size).fill(65),
      qos: 0,
      dup: false,
      retain: false,
      packetId: 0,
      properties: noProperties,
    };
    assert.equal(Buffer.compare(encodePacket(packet, 4), generated(packet)), 0, `${size} bytes`);
  }
});
