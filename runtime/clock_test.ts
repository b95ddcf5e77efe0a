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
