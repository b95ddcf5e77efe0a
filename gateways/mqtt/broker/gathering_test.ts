import assert from "node:assert/strict";
import fc from "fast-check";
import { Gathering } from "./gathering.ts";

const kib = 1024;
const chunkBytesMax = 256 * kib;

/**
 * A broker that brings `bytesPerMs` for `forMs` and can have no more than `window` bytes on the way
 * and `unsent` more waiting. Gives what it had to throw away, and how many chunks there were.
 */
function feed(
  { bytesPerMs, window, unsent, forMs, waitMs = 40 }: {
    bytesPerMs: number;
    window: number;
    unsent: number;
    forMs: number;
    waitMs?: number;
  },
) {
  const gathering = new Gathering(chunkBytesMax);
  let waiting = 0;
  let lost = 0;
  let chunks = 0;
  let ms = 0;
  while (ms < forMs) {
    const chunk = Math.min(waiting, window, chunkBytesMax);
    waiting -= chunk;
    chunks++;
    // To take a chunk goes ten times as fast as to send it, and no turn takes less than 0.1 ms.
    const passedMs = Math.max(chunk / bytesPerMs / 10, 0.1) +
      (gathering.waitsAfter(chunk) ? waitMs : 0);
    ms += passedMs;
    waiting += bytesPerMs * passedMs;
    lost += Math.max(0, waiting - window - unsent);
    waiting = Math.min(waiting, window + unsent);
  }
  return { lost, chunks };
}

Deno.test("after little it waits, and after a chunk that was full it does not", () => {
  const gathering = new Gathering(chunkBytesMax);
  assert.deepEqual([30, 0, 3 * kib].map((bytes) => gathering.waitsAfter(bytes)), [
    true,
    true,
    true,
  ]);
  assert.equal(gathering.waitsAfter(chunkBytesMax), false);
  assert.equal(gathering.waitsAfter(chunkBytesMax), false);
});

Deno.test("a broker that keeps nothing back is looked at ever more rarely", () => {
  const gathering = new Gathering(chunkBytesMax);
  const looks: number[] = [];
  for (let chunk = 0; chunk < 60; chunk++) {
    if (gathering.waitsAfter(100 * kib)) continue;
    looks.push(chunk);
    assert.equal(gathering.waitsAfter(kib), true);
  }
  assert.deepEqual(looks, [0, 2, 6, 14, 30, 47]);
});

Deno.test("one that was waiting is read at once until it has caught up", () => {
  const gathering = new Gathering(chunkBytesMax);
  for (let chunk = 0; chunk < 20; chunk++) assert.equal(gathering.waitsAfter(64 * kib), false);
  assert.equal(gathering.waitsAfter(kib), true);
});

Deno.test("a broker with a wide way here gathers: few chunks, and nothing is thrown away", () => {
  const { lost, chunks } = feed({ bytesPerMs: 3 * kib, window: 3e6, unsent: 0, forMs: 10_000 });
  assert.equal(lost, 0);
  assert.ok(chunks < 10_000 / 40 * 1.2, `${chunks} chunks`);
});

Deno.test("a narrow way here costs nothing as long as the broker can hold what comes in two waits", () => {
  fc.assert(fc.property(
    fc.integer({ min: 10, max: 16 * kib }),
    fc.integer({ min: 5 * kib, max: 1024 * kib }),
    (bytesPerMs, window) => {
      const { lost } = feed({ bytesPerMs, window, unsent: bytesPerMs * 100, forMs: 5_000 });
      assert.equal(lost, 0);
    },
  ));
});
