import assert from "node:assert/strict";
import { ManualClock } from "../runtime/clock.ts";
import { tellSlow, tellSlowStep } from "./tell_slow.ts";

Deno.test("a step that takes long is told while it does, whatever it ends with", async () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const tell = (seconds: number) => void told.push(seconds);
  const work = Promise.withResolvers<string>();
  const result = tellSlow("the accounts are read", work.promise, clock, tell);
  clock.advance(10_000);
  work.resolve("read");
  assert.equal(await result, "read");
  assert.deepEqual([told, clock.pending], [[5, 10], 0]);

  const failed = tellSlow("the accounts are read", Promise.reject(new Error("no")), clock, tell);
  await assert.rejects(failed, /no/);
  assert.deepEqual([told.length, clock.pending], [2, 0]);
});

Deno.test("a step that holds the thread is told of afterwards, when it took long", () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const tell = (seconds: number) => void told.push(seconds);
  const step = (ms: number) => () => {
    clock.advance(ms);
    return ms;
  };
  assert.equal(tellSlowStep("databases are checked", step(4_999), clock, tell), 4_999);
  assert.equal(tellSlowStep("databases are checked", step(7_000), clock, tell), 7_000);
  assert.deepEqual(told, [7]);
});
