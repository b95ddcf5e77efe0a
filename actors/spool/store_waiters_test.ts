import assert from "node:assert/strict";
import { StoreWaiters } from "./store_waiters.ts";

/** Someone who waits, and how often it was told. */
function waiter() {
  const one = { told: 0, complete: () => void one.told++ };
  return one;
}

Deno.test("who waits goes with the record, once", () => {
  const waiters = new StoreWaiters();
  const [a, b] = [waiter(), waiter()];
  waiters.leave(1, [a, b]);
  assert.deepEqual(waiters.take(2), []);
  assert.deepEqual(waiters.take(1), [a, b]);
  assert.deepEqual(waiters.take(1), []);
  waiters.end(0, 10);
  assert.deepEqual([a.told, b.told], [0, 0]);
});

Deno.test("when records are gone, all who wait for one of them are told, once, and nobody else", () => {
  const waiters = new StoreWaiters();
  const all = Array.from({ length: 6 }, waiter);
  for (const [sequence, one] of all.entries()) waiters.leave(sequence, [one]);
  waiters.end(2, 4);
  waiters.end(2, 4);
  assert.deepEqual(all.map(({ told }) => told), [0, 0, 1, 1, 0, 0]);
  assert.deepEqual(waiters.take(3), []);
  assert.deepEqual(waiters.take(4), [all[4]]);
});
