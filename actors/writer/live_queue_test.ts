import assert from "node:assert/strict";
import { LiveQueue, recordOverheadBytes } from "./live_queue.ts";
import { recordOf } from "./testing/records.ts";

const record = () => recordOf([["d:1"]]);
const bytes = record().frame.length + recordOverheadBytes;
const limits = { countMax: 2, bytesMax: 1_000_000, ageMaxMs: 50 };

Deno.test("records wait in their order, and what waits is told in all", () => {
  const queue = new LiveQueue(10 * bytes);
  assert.deepEqual(queue.waiting(5), { count: 0, bytes: 0, ageMs: 0, urgent: false });
  const records = [record(), recordOf([["d:1"], ["d:2", "d:3"]]), record()];
  for (const [i, one] of records.entries()) assert.equal(queue.offer(one, 10 * i), true);
  const lineBytes = records.reduce((sum, { lines }) => sum + lines.length, 0);
  assert.deepEqual(queue.waiting(35), { count: 4, bytes: lineBytes, ageMs: 35, urgent: false });
  assert.deepEqual(queue.take(limits), [records[0]]);
  assert.equal(queue.waiting(35).ageMs, 25);
  assert.deepEqual(queue.take(limits), [records[1]]);
  assert.deepEqual(queue.take(limits), [records[2]]);
  assert.equal(queue.waiting(35).count, 0);
});

Deno.test("somebody waits for as long as a record waits that somebody waits for", () => {
  const queue = new LiveQueue(10 * bytes);
  queue.offer(recordOf([["d:1"]], [{ complete() {} }]), 0);
  queue.offer(record(), 0);
  assert.equal(queue.waiting(0).urgent, true);
  queue.take({ ...limits, countMax: 1 });
  assert.equal(queue.waiting(0).urgent, false);
});

Deno.test("a record takes its room until it is released, also when it was taken", () => {
  const queue = new LiveQueue(2 * bytes);
  const [a, b, c] = [record(), record(), record()];
  assert.deepEqual([a, b, c].map((one) => queue.offer(one, 0)), [true, true, false]);
  assert.equal(queue.fill, 1);
  assert.deepEqual(queue.take(limits), [a, b]);
  assert.equal(queue.offer(c, 0), false);
  queue.release(a);
  assert.equal(queue.heldBytes, bytes);
});

Deno.test("once it overflowed it takes nothing until half of it is free", () => {
  const queue = new LiveQueue(4 * bytes);
  const records = Array.from({ length: 4 }, record);
  for (const one of records) assert.equal(queue.offer(one, 0), true);
  assert.equal(queue.offer(record(), 0), false);
  const free = () => queue.release(queue.take({ ...limits, countMax: 1 })[0]!);
  free();
  free();
  assert.equal(queue.offer(record(), 0), false); // It would be more than half again.
  free();
  assert.equal(queue.offer(record(), 0), true);
  assert.equal(queue.offer(record(), 0), true);
});

Deno.test("one that is larger than all of its memory is taken when there is no other", () => {
  const queue = new LiveQueue(1);
  assert.equal(queue.offer(record(), 0), true);
  assert.equal(queue.offer(record(), 0), false);
});

Deno.test("what it gives up it does not hold any more; what was taken it does", () => {
  const queue = new LiveQueue(10 * bytes);
  const [a, b, c] = [record(), record(), record()];
  for (const one of [a, b, c]) queue.offer(one, 0);
  queue.take({ ...limits, countMax: 1 });
  assert.deepEqual(queue.clear(), [b, c]);
  assert.equal(queue.heldBytes, bytes);
  assert.deepEqual(queue.waiting(9), { count: 0, bytes: 0, ageMs: 0, urgent: false });
});
