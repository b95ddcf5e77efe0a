import assert from "node:assert/strict";
import { ManualClock, systemClock } from "./clock.ts";

Deno.test("timers fire in the order they fall due, those set meanwhile included", () => {
  const clock = new ManualClock(0);
  const fired: string[] = [];
  clock.setTimer(30, () => fired.push(`c ${clock.now()}`));
  clock.setTimer(10, () => {
    fired.push(`a ${clock.now()}`);
    clock.setTimer(10, () => fired.push(`b ${clock.now()}`));
  });
  clock.setTimer(15, () => fired.push("never")).clear();
  assert.deepEqual([clock.nextDueMs, clock.pending], [10, 2]);
  clock.advance(30);
  assert.deepEqual(fired, ["a 10", "b 20", "c 30"]);
  assert.deepEqual([clock.nextDueMs, clock.pending, clock.now()], [undefined, 0, 30]);
});

Deno.test("the machine's clock fires its timers, and a cleared one not", async () => {
  const before = systemClock.monotonic();
  await new Promise<void>((resolve) => {
    systemClock.setTimer(0, () => assert.fail("it was cleared")).clear();
    systemClock.setTimer(1, resolve);
  });
  assert.ok(systemClock.monotonic() >= before);
  assert.ok(Number.isInteger(systemClock.now()));
});

Deno.test("a timer longer than setTimeout can wait does not fire at once", async () => {
  for (const delayMs of [2 ** 31, Infinity]) {
    const timer = systemClock.setTimer(delayMs, () => assert.fail(`fired, set for ${delayMs} ms`));
    await new Promise<void>((resolve) => void systemClock.setTimer(5, resolve));
    timer.clear();
  }
});

Deno.test("a timer longer than setTimeout can wait does so in stages, and fires after the last", () => {
  const own = globalThis.setTimeout;
  const stages: number[] = [];
  const due: (() => void)[] = [];
  let fired = 0;
  Reflect.set(globalThis, "setTimeout", (run: () => void, ms: number) => {
    stages.push(ms);
    return due.push(run);
  });
  try {
    systemClock.setTimer(2 ** 32, () => fired++);
    for (let run = due.shift(); run !== undefined; run = due.shift()) {
      assert.equal(fired, 0);
      run();
    }
  } finally {
    Reflect.set(globalThis, "setTimeout", own);
  }
  assert.deepEqual([stages, fired], [[2 ** 31 - 1, 2 ** 31 - 1, 2], 1]);
});
