import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { type TimerEntry, Timers } from "./timers.ts";

function setUp() {
  const clock = new ManualClock();
  const fired: TimerEntry[] = [];
  const timers = new Timers(clock, (entry) => fired.push(entry));
  return { clock, fired, timers };
}

Deno.test("a timer fires once and is claimed once", () => {
  const { clock, fired, timers } = setUp();
  timers.start("a", 10, "hello");
  clock.advance(100);
  assert.deepEqual(fired.map((entry) => entry.message), ["hello"]);
  assert.deepEqual([timers.claim(fired[0]!), timers.claim(fired[0]!)], [true, false]);
});

Deno.test("a replaced timer does not fire", () => {
  const { clock, fired, timers } = setUp();
  timers.start("a", 10, "old");
  timers.start("a", 20, "new");
  clock.advance(100);
  assert.deepEqual(fired.map((entry) => entry.message), ["new"]);
});

Deno.test("a timer that fired is not wanted after cancel, replacement or clear", () => {
  for (const end of ["cancel", "start", "clear"] as const) {
    const { clock, fired, timers } = setUp();
    timers.start("a", 10, "old");
    clock.advance(10);
    if (end === "cancel") timers.cancel("a");
    else if (end === "start") timers.start("a", 10, "new");
    else timers.clear();
    assert.equal(timers.claim(fired[0]!), false, end);
  }
});

Deno.test("clear lets go of every timer", () => {
  const { clock, fired, timers } = setUp();
  timers.start("a", 10, 1);
  timers.start("b", 20, 2);
  timers.clear();
  clock.advance(100);
  assert.deepEqual([fired.length, clock.pending], [0, 0]);
});
