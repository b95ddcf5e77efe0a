import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { SlowNotice } from "./slow_notice.ts";

Deno.test("what takes long is told ever less often, once a minute at last, and no more when it is over", () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const notice = new SlowNotice(clock, 5_000, (ms) => told.push(ms));
  clock.advance(4_999);
  assert.deepEqual(told, []);
  clock.advance(300_000 - 4_999);
  assert.deepEqual(told, [5_000, 10_000, 20_000, 40_000, 80_000, 140_000, 200_000, 260_000]);
  notice.clear();
  clock.advance(300_000);
  assert.deepEqual([told.length, clock.pending], [8, 0]);
});

Deno.test("whoever is told may end it", () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const notice: SlowNotice = new SlowNotice(clock, 1_000, (ms) => {
    told.push(ms);
    notice.clear();
  });
  assert.equal(clock.pending, 1);
  clock.advance(10_000);
  assert.deepEqual([told, clock.pending], [[1_000], 0]);
  notice.clear();
});
