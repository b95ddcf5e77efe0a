import assert from "node:assert/strict";
import { BelievedTime } from "./believed_time.ts";
import { ManualClock } from "./clock.ts";

const hourMs = 3_600_000;

Deno.test("a clock that is set ahead is believed after a day, and one that is set back at once", () => {
  const clock = new ManualClock();
  const time = new BelievedTime(clock);
  clock.setBy(1_000 * hourMs);
  for (let hour = 0; hour < 24; hour++) {
    assert.equal(clock.now() - time.now(), 1_000 * hourMs);
    clock.advance(hourMs);
  }
  assert.equal(time.now(), clock.now());
  clock.setBy(-1_000 * hourMs);
  assert.equal(time.now(), clock.now());
});

Deno.test("a clock that was wrong for a while is never believed, and a drift always", () => {
  const clock = new ManualClock();
  const time = new BelievedTime(clock);
  for (let day = 0; day < 3; day++) {
    clock.setBy(5 * hourMs);
    time.now();
    clock.advance(20 * hourMs);
    assert.equal(clock.now() - time.now(), 5 * hourMs);
    clock.setBy(-5 * hourMs);
    assert.equal(time.now(), clock.now());
    clock.advance(4 * hourMs);
  }
  for (let i = 0; i < 100; i++) {
    clock.setBy(50_000);
    assert.equal(time.now(), clock.now());
  }
});
