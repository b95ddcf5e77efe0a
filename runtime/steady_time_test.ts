import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { SteadyTime } from "./steady_time.ts";

Deno.test("time goes on as it did, though the clock is set ahead and back", () => {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  const beginMs = clock.now();
  for (const byMs of [3_600_000, -7_200_000, 86_400_000, -500]) {
    clock.advance(60_000);
    const seenMs = time.of(clock.now());
    assert.ok(Math.abs(seenMs - time.now()) <= 500);
    clock.setBy(byMs);
    clock.advance(1_000);
    assert.equal(time.now() - seenMs, 1_000);
  }
  assert.equal(time.now() - beginMs, 4 * 61_000);
});

Deno.test("what came just before the clock was set back is not in the future", () => {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  const arrivedMs = clock.now();
  clock.setBy(-3_600_000);
  assert.equal(time.of(arrivedMs), time.now());
});

Deno.test("a drift within the tolerance is no jump", () => {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  clock.setBy(900);
  assert.equal(time.toWall(5), 5);
  clock.setBy(200);
  assert.equal(time.toWall(5), 1_105);
});
