import assert from "node:assert/strict";
import fc from "fast-check";
import { noProperties } from "../codec/properties.ts";
import { Message } from "./message.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import { SharedHold } from "./shared_hold.ts";

const messageOf = (topic: string, payloadBytes: number) =>
  new Message({
    topic,
    payload: new Uint8Array(payloadBytes),
    qos: 1,
    retain: false,
    properties: noProperties,
    expiresMs: Infinity,
  });

const step = fc.record({
  member: fc.nat(1),
  packetId: fc.integer({ min: 1, max: 9 }),
  bytes: fc.option(fc.nat(600), { nil: undefined }),
});

Deno.test("what is held is bounded, of a member and of all; the rest is counted when it goes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stats = new PubSubStats();
      const limits = { countMax: 1, bytesMax: 1_500, sharedBytesMax: 4_000 };
      const holds = [new SharedHold(limits, stats), new SharedHold(limits, stats)];
      const sent = [new Set<number>(), new Set<number>()];
      for (const { member, packetId, bytes } of steps) {
        const [hold, its] = [holds[member]!, sent[member]!];
        if (bytes === undefined) {
          hold.delete(packetId);
          its.delete(packetId);
        } else if (!its.has(packetId)) {
          const message = messageOf(`${packetId}`, bytes);
          const { queuedBytes: before } = stats;
          hold.add(packetId, { message, share: { name: "$share/g/t", mark: undefined, turn: 0 } });
          const isHeld = stats.queuedBytes === before + message.bytes;
          assert.ok(isHeld || before + message.bytes > limits.bytesMax, "it is held if it fits");
          its.add(packetId);
        }
        assert.ok(stats.queuedBytes >= 0 && stats.queuedBytes <= limits.sharedBytesMax / 2);
      }
      for (const [member, hold] of holds.entries()) {
        const { no_member: before } = stats.lost;
        const taken = hold.take();
        const topics = taken.map(({ message }) => Number(message.topic));
        const order = [...sent[member]!].filter((packetId) => topics.includes(packetId));
        assert.deepEqual(topics, order);
        assert.ok(taken.reduce((sum, { message }) => sum + message.bytes, 0) <= limits.bytesMax);
        assert.equal(taken.length + stats.lost.no_member - before, sent[member]!.size);
        assert.deepEqual(hold.take(), []);
      }
      assert.equal(stats.queuedBytes, 0);
    }),
    { numRuns: 200 },
  );
});
