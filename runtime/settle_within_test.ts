import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { settleWithin } from "./settle_within.ts";

function run(stopped: Promise<void>) {
  const clock = new ManualClock();
  const faults: string[] = [];
  const seen = { clock, faults, done: 0 };
  const fault = (thrown: unknown) => faults.push(String(thrown));
  settleWithin(clock, 1_000, stopped, fault, () => seen.done++);
  return seen;
}
const tick = () => new Promise<void>((resolve) => queueMicrotask(resolve));

Deno.test("a promise is awaited", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = run(promise);
  seen.clock.advance(999);
  assert.equal(seen.done, 0);
  resolve();
  await tick();
  assert.deepEqual([seen.done, seen.faults, seen.clock.pending], [1, [], 0]);
});

Deno.test("a rejection is done, with its fault", async () => {
  const seen = run(Promise.reject(new Error("disk")));
  await tick();
  assert.deepEqual([seen.done, seen.faults], [1, ["Error: disk"]]);
});

Deno.test("after the deadline it is done once; a late rejection is a fault, not a crash", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const seen = run(promise);
  seen.clock.advance(1_000);
  assert.equal(seen.done, 1);
  reject(new Error("late"));
  await tick();
  assert.equal(seen.done, 1);
  assert.deepEqual(seen.faults, ["Error: It did not stop within 1000 ms", "Error: late"]);
});
