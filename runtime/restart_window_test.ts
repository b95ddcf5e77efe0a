import assert from "node:assert/strict";
import fc from "fast-check";
import { addRestart, type RestartWindow } from "./restart_window.ts";

Deno.test("the restart beyond the intensity exceeds it", () => {
  let window: RestartWindow = [];
  const exceeded = [0, 10, 20, 30].map((nowMs) => {
    const next = addRestart(window, nowMs, 3, 1_000);
    window = next.window;
    return next.exceeded;
  });
  assert.deepEqual(exceeded, [false, false, false, true]);
});

Deno.test("a restart exactly one period old counts, an older one does not", () => {
  assert.equal(addRestart([0], 1_000, 1, 1_000).exceeded, true);
  assert.equal(addRestart([0], 1_001, 1, 1_000).exceeded, false);
});

Deno.test("intensity 0 allows none", () => {
  assert.equal(addRestart([], 5, 0, 1_000).exceeded, true);
});

/**
 * A transliteration of `add_restart/3` and its callers in OTP's `supervisor.erl`: newest first,
 * `takewhile`, then the length against the intensity.
 */
function otp(restarts: readonly number[], now: number, intensity: number, period: number) {
  const threshold = now - period;
  const kept: number[] = [];
  for (const at of restarts) {
    if (!(at >= threshold)) break;
    kept.push(at);
  }
  const next = [now, ...kept];
  return { restarts: next, terminate: next.length > intensity };
}

Deno.test("property: the window decides as OTP does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { maxLength: 60 }),
      fc.nat(5),
      fc.integer({ min: 1, max: 1_000 }),
      (gapsMs, intensity, periodMs) => {
        let nowMs = 0;
        let ours: RestartWindow = [];
        let theirs: readonly number[] = [];
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          const our = addRestart(ours, nowMs, intensity, periodMs);
          const their = otp(theirs, nowMs, intensity, periodMs);
          assert.equal(our.exceeded, their.terminate);
          assert.deepEqual(our.window, [...their.restarts].reverse());
          ours = our.window;
          theirs = their.restarts;
        }
      },
    ),
    { seed: 2 },
  );
});
