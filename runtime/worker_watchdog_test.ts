import assert from "node:assert/strict";
import { type Clock, ManualClock } from "./clock.ts";
import { Watchdog } from "./worker_watchdog.ts";

Deno.test("silence is noticed once, after the time that was set", () => {
  const clock = new ManualClock();
  let deaths = 0;
  const watchdog = new Watchdog(clock, 1000, () => deaths++);
  for (let i = 0; i < 10; i++) {
    clock.advance(900);
    watchdog.beat();
  }
  assert.equal(deaths, 0);
  clock.advance(999);
  assert.equal(watchdog.silentMs, 999);
  assert.equal(deaths, 0);
  clock.advance(1);
  assert.equal(deaths, 1);
  clock.advance(10_000);
  assert.equal(deaths, 1);
});

Deno.test("a watchdog that is cleared says nothing", () => {
  const clock = new ManualClock();
  const watchdog = new Watchdog(clock, 1000, () => assert.fail());
  watchdog.clear();
  clock.advance(10_000);
  assert.equal(clock.pending, 0);
});

/** Wakes its timers late, as a thread does that was busy or suspended. */
function lateClock(): { clock: Clock; wakeAfter(ms: number): void } {
  let nowMs = 0;
  const due: (() => void)[] = [];
  return {
    clock: {
      now: () => nowMs,
      monotonic: () => nowMs,
      setTimer(_delayMs, fire) {
        due.push(fire);
        return { clear() {} };
      },
    },
    wakeAfter(ms) {
      nowMs += ms;
      for (const fire of due.splice(0)) fire();
    },
  };
}

Deno.test("one who was asleep itself hears what waits before it judges", () => {
  const late = lateClock();
  let deaths = 0;
  const watchdog = new Watchdog(late.clock, 1000, () => deaths++);
  late.wakeAfter(60_000);
  assert.equal(deaths, 0);
  watchdog.beat();
  late.wakeAfter(500);
  assert.equal(deaths, 0);
  late.wakeAfter(500);
  assert.equal(deaths, 1);
});

Deno.test("after a sleep silence counts anew", () => {
  const late = lateClock();
  let deaths = 0;
  new Watchdog(late.clock, 1000, () => deaths++);
  late.wakeAfter(60_000);
  late.wakeAfter(900);
  assert.equal(deaths, 0);
  late.wakeAfter(100);
  assert.equal(deaths, 1);
});
