import assert from "node:assert/strict";
import type { Clock } from "./clock.ts";
import { markTime, sharedTime } from "./shared_time.ts";

/** A thread that began at `startMs` of the true time, with a wall clock that is off. */
function thread(startMs: number, time: { ms: number; wallOffMs: number }): Clock {
  return {
    now: () => time.ms + time.wallOffMs,
    monotonic: () => time.ms - startMs,
    setTimer: () => ({ clear() {} }),
  };
}

Deno.test("two threads have one time, whatever the wall clock does later", () => {
  const time = { ms: 50_000, wallOffMs: 1e12 };
  const host = thread(10_000, time);
  const mark = markTime(host);
  time.ms += 7;
  const worker = thread(50_003, time);
  const shared = sharedTime(mark, worker);
  assert.equal(shared(), host.monotonic());
  time.wallOffMs -= 3_600_000;
  time.ms += 1_000;
  assert.equal(shared(), host.monotonic());
});

Deno.test("a wall clock that is set on the way costs little", () => {
  for (const step of [-3_600_000, 3_600_000]) {
    const time = { ms: 50_000, wallOffMs: 1e12 };
    const host = thread(10_000, time);
    const mark = markTime(host);
    time.wallOffMs += step;
    assert.ok(Math.abs(sharedTime(mark, thread(49_000, time))() - host.monotonic()) <= 10_000);
  }
});
