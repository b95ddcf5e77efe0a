import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { KeptClock } from "./kept_clock.ts";

Deno.test("what is in the file follows a clock that is set, once, and is not behind it meanwhile", () => {
  const clock = new ManualClock();
  const shifts: number[] = [];
  let works = true;
  const time = new KeptClock(clock, (byMs) => works && shifts.push(byMs) > 0);
  clock.setBy(9_000);
  assert.equal(time.now(), clock.now());
  clock.setBy(-9_000 + 3_600_000);
  assert.equal(time.now(), clock.now());
  clock.advance(1_000);
  assert.equal(time.now(), clock.now());
  assert.deepEqual(shifts, [3_600_000]);

  works = false;
  clock.setBy(-7_200_000);
  assert.equal(time.now(), clock.now() + 7_200_000);
  works = true;
  assert.equal(time.now(), clock.now());
  assert.deepEqual(shifts, [3_600_000, -7_200_000]);
});
