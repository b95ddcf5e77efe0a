import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "./clock.ts";
import { Deadline, Deadlines } from "./deadlines.ts";

class Noted extends Deadline {
  constructor(readonly dueAt: (deadline: Noted) => void) {
    super();
  }

  override due(): void {
    this.dueAt(this);
  }
}

Deno.test("deadlines of one length share one timer", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let due = 0;
  for (let i = 0; i < 1_000; i++) deadlines.set(new Noted(() => due++), 50);
  assert.equal(clock.pending, 1);
  clock.advance(50);
  assert.deepEqual([due, clock.pending], [1_000, 0]);
});

Deno.test("close lets go of every timer, and nothing falls due", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let due = 0;
  for (const delayMs of [10, 20, 20]) deadlines.set(new Noted(() => due++), delayMs);
  deadlines.close();
  clock.advance(100);
  assert.deepEqual([due, clock.pending], [0, 0]);
});

Deno.test("property: each deadline falls due at its time, unless it was cleared before", () => {
  const step = fc.record({
    waitMs: fc.nat(20),
    delayMs: fc.constantFrom(5, 10, 30),
    clearedAfterMs: fc.option(fc.nat(40)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const clock = new ManualClock(0);
      const deadlines = new Deadlines(clock);
      const dueAt = new Map<number, number>();
      const expected = new Map<number, number>();
      for (const [i, { waitMs, delayMs, clearedAfterMs }] of steps.entries()) {
        clock.advance(waitMs);
        const deadline = new Noted(() => dueAt.set(i, clock.now()));
        deadlines.set(deadline, delayMs);
        // Set later than the deadline's own timer, a clear at the very same time comes too late.
        if (clearedAfterMs === null) expected.set(i, clock.now() + delayMs);
        else {
          if (clearedAfterMs > delayMs) expected.set(i, clock.now() + delayMs);
          clock.setTimer(clearedAfterMs === delayMs ? delayMs - 1 : clearedAfterMs, () => {
            deadline.clear();
          });
        }
      }
      clock.advance(100);
      assert.deepEqual([...dueAt].sort(), [...expected].sort());
      assert.equal(clock.pending, 0);
    }),
    { seed: 4 },
  );
});
