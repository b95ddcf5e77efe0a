import assert from "node:assert/strict";
import fc from "fast-check";
import { offerFlags } from "./intake.ts";
import {
  entryWord,
  flags,
  FrameWriter,
  originHash,
  packetId,
  parseFrame,
  payloadEnd,
  topicEnd,
  topicStart,
  transportCode,
} from "./readings_frame.ts";

const reading = fc.record({
  topic: fc.uint8Array({ minLength: 1, maxLength: 80 }),
  payload: fc.uint8Array({ maxLength: 200 }),
  gap: fc.constantFrom(0, 2, 5, 40),
  packet: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 15 }),
  transport: fc.integer({ min: 0, max: 4 }),
  origin: fc.integer({ min: 0, max: 0xffffffff }),
});

Deno.test("a packed frame gives back every reading", () => {
  fc.assert(fc.property(fc.array(reading, { maxLength: 100 }), (readings) => {
    const writer = new FrameWriter(16, 1);
    writer.arrivalMs = 1234.5;
    writer.awaited = readings.length % 2 === 1;
    for (const r of readings) {
      const packet = new Uint8Array([...r.topic, ...new Uint8Array(r.gap), ...r.payload]);
      const payloadStart = r.topic.length + r.gap;
      writer.add(
        packet,
        0,
        r.topic.length,
        payloadStart,
        packet.length,
        entryWord(r.packet, r.flags, r.transport),
        r.origin,
      );
    }
    const frame = parseFrame(new Uint8Array(writer.pack(7, "stored")));
    assert.equal(frame.count, readings.length);
    assert.equal(frame.batchId, 7);
    assert.equal(frame.ackLevel, "stored");
    assert.equal(frame.arrivalMs, 1234.5);
    assert.equal(frame.awaited, writer.awaited);
    readings.forEach((r, i) => {
      assert.deepEqual(frame.data.slice(topicStart(frame, i), topicEnd(frame, i)), r.topic);
      assert.deepEqual(frame.data.slice(topicEnd(frame, i), payloadEnd(frame, i)), r.payload);
      assert.equal(packetId(frame, i), r.packet);
      assert.equal(flags(frame, i), r.flags);
      assert.equal(transportCode(frame, i), r.transport);
      assert.equal(originHash(frame, i), r.origin);
    });
  }));
});

Deno.test("a frame that was damaged is refused, never read beyond its data", () => {
  const writer = new FrameWriter();
  const bytes = new TextEncoder().encode("a/b{}");
  writer.add(bytes, 0, 3, 3, 5, entryWord(1, 1, 0), 9);
  const packed = new Uint8Array(writer.pack(1, "spooled"));
  for (let cut = 0; cut < packed.length; cut++) {
    assert.throws(() => parseFrame(packed.slice(0, cut)), RangeError);
  }
  fc.assert(fc.property(
    fc.integer({ min: 0, max: packed.length - 1 }),
    fc.integer({ min: 0, max: 255 }),
    (at, value) => {
      const mutated = packed.slice();
      mutated[at] = value;
      try {
        const frame = parseFrame(mutated);
        for (let i = 0; i < frame.count; i++) assert.ok(payloadEnd(frame, i) <= frame.data.length);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    },
  ));
});

Deno.test("marking duplicates leaves QoS 0 alone", () => {
  const writer = new FrameWriter();
  const bytes = new TextEncoder().encode("a/b{}");
  for (const qos of [0, 1, 2]) writer.add(bytes, 0, 3, 3, 5, entryWord(1, qos, 0), 9);
  writer.markDuplicates();
  assert.deepEqual([0, 1, 2].map((i) => flags(writer, i) & offerFlags.dup), [0, 4, 4]);
});
