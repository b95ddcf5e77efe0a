import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { ReceiveTimeout } from "./receive_timeout.ts";

Deno.test("it fires after each quiet time; a message only notes the time", () => {
  const clock = new ManualClock(0);
  const fired: number[] = [];
  const timeout = new ReceiveTimeout(clock, 100, () => fired.push(clock.now()));
  clock.advance(70);
  timeout.touch();
  clock.advance(99);
  assert.deepEqual(fired, []);
  clock.advance(1);
  clock.advance(100);
  assert.deepEqual(fired, [170, 270]);
  timeout.clear();
  clock.advance(1_000);
  assert.deepEqual([fired.length, clock.pending], [2, 0]);
});
