import assert from "node:assert/strict";
import { Metronome } from "./metronome.ts";

Deno.test("metronome: never wakes early, wakes many, and ends", async () => {
  const metronome = new Metronome();
  try {
    for (const ms of [0, 0.3, 1, 2.5, 21, 1, 1]) {
      const startMs = metronome.nowMs();
      await metronome.sleep(ms);
      // A timer may be up to 1 ms short; a beat is not.
      assert.ok(metronome.nowMs() - startMs >= (ms > 20 ? ms - 1 : Math.min(ms, 0.3)));
    }
    await Promise.all(Array.from({ length: 50 }, () => metronome.sleep(1)));
  } finally {
    await metronome.close();
  }
});

Deno.test("metronome: an abort ends the wait", async () => {
  const metronome = new Metronome();
  const abort = new AbortController();
  const waits = [metronome.sleep(15, abort.signal), metronome.sleep(60_000, abort.signal)];
  abort.abort();
  await Promise.all(waits);
  await metronome.close();
});
