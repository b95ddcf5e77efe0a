import assert from "node:assert/strict";
import fc from "fast-check";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import { DeliveryQueue, type Waiting } from "./delivery_queue.ts";
import { Message } from "./message.ts";
import { PubSubStats } from "./pubsub_stats.ts";

function waiting(id: number, qos: Qos, payloadBytes: number): Waiting {
  const payload = new Uint8Array(payloadBytes);
  const fields = { payload, qos, retain: false, properties: noProperties, expiresMs: Infinity };
  return { message: new Message({ topic: `${id}`, ...fields }), qos, retain: false, ids: [] };
}

Deno.test("a full queue gives up what has QoS 0, then refuses the rest", () => {
  const stats = new PubSubStats();
  const queue = new DeliveryQueue(
    { countMax: 3, bytesMax: 10_000, sharedBytesMax: 10_000 },
    stats,
  );
  for (const [id, qos] of ([0, 1, 0, 0, 1, 2, 1] as const).entries()) {
    queue.push(waiting(id, qos, 10));
  }
  const left: string[] = [];
  for (; queue.first !== undefined; queue.shift()) left.push(queue.first.message.topic);
  assert.deepEqual(left, ["1", "4", "5"]);
  assert.deepEqual([stats.lost.qos0_full, stats.lost.full], [3, 1]);
  assert.deepEqual([stats.queuedBytes, stats.queuedMessages], [0, 0]);
});

Deno.test("whatever comes and goes: bounded, in order, and every message is accounted for", () => {
  const step = fc.oneof(
    fc.record({ qos: fc.constantFrom<Qos>(0, 1, 2), bytes: fc.integer({ min: 0, max: 300 }) }),
    fc.constant("shift" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const stats = new PubSubStats();
      const limits = { countMax: 8, bytesMax: 2_500, sharedBytesMax: 3_000 };
      const queues = [new DeliveryQueue(limits, stats), new DeliveryQueue(limits, stats)] as const;
      let pushed = 0;
      let taken = 0;
      const last = [-1, -1];
      for (const [i, step] of steps.entries()) {
        const queue = queues[i % 2]!;
        if (step !== "shift") {
          queue.push(waiting(i, step.qos, step.bytes));
          pushed++;
        } else if (queue.first !== undefined) {
          const id = Number(queue.first.message.topic);
          assert.ok(id > last[i % 2]!);
          last[i % 2] = id;
          queue.shift();
          taken++;
        }
        assert.ok(queue.count <= limits.countMax && stats.queuedBytes <= limits.sharedBytesMax);
        const { qos0_full, full } = stats.lost;
        assert.equal(pushed, taken + qos0_full + full + stats.queuedMessages);
        assert.equal(stats.queuedMessages, queues[0].count + queues[1].count);
      }
      for (const queue of queues) queue.take();
      assert.deepEqual([stats.queuedBytes, stats.queuedMessages], [0, 0]);
    }),
    { seed: 2, numRuns: 300 },
  );
});
