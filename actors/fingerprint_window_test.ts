import assert from "node:assert/strict";
import fc from "fast-check";
import { FingerprintWindow, windowMax, WindowRoom } from "./fingerprint_window.ts";

const startMs = 1_700_000_000_000;

Deno.test("the window knows the last ones, whatever was added before", () => {
  // Few different values: chains are long and the same one comes again.
  const word = fc.integer({ min: 1, max: 40 });
  const step = fc.record({ hi: word, lo: word, waitMs: fc.constantFrom(0, 100, 3_000, 60_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000 }), fc.boolean(), (steps, hasRoom) => {
      const window = new FingerprintWindow(new WindowRoom(hasRoom ? 1 << 20 : 0));
      const model: { hi: number; lo: number; atMs: number }[] = [];
      let nowMs = startMs;
      for (const { hi, lo, waitMs } of steps) {
        nowMs += waitMs;
        window.add(hi, lo, nowMs);
        model.push({ hi, lo, atMs: nowMs });
        const kept = model.slice(-window.count);
        assert.equal(window.has(hi, lo), true);
        assert.equal(window.has(lo, hi), kept.some((m) => m.hi === lo && m.lo === hi));
        const young = model.filter((m) => m.atMs > nowMs - 9_000).length;
        assert.ok(window.count >= Math.min(young, windowMax));
        assert.ok(!hasRoom || window.count >= Math.min(model.length, 256));
      }
      const recent = window.recent(nowMs);
      const tail = model.slice(model.length - recent.length / 2).flatMap(({ hi, lo }) => [hi, lo]);
      assert.deepEqual([...recent], tail);
    }),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("old ones are remembered up to a count, as far as there is room in the shard", () => {
  const room = new WindowRoom(2 * 256 * 20);
  const windows = [1, 2, 3].map(() => new FingerprintWindow(room));
  const fill = (window: FingerprintWindow) => {
    for (let i = 1; i <= 1_000; i++) window.add(i, i, startMs + i * 60_000);
    return window.count;
  };
  assert.deepEqual(windows.map(fill), [256, 256, 4]);
  assert.ok(room.bytesLeft >= 0);
  windows[0]!.release();
  assert.equal(windows[0]!.count, 0);
  assert.equal(windows[0]!.has(1_000, 1_000), false);
  assert.equal(fill(windows[2]!), 256);
  // What it gave back is another's now.
  windows[0]!.add(7, 7, startMs);
  assert.ok(windows[0]!.has(7, 7) && !windows[0]!.has(1_000, 1_000));
  assert.ok(windows[2]!.has(1_000, 1_000) && !windows[2]!.has(7, 7));
});

Deno.test("without room a slow device keeps a small window, a fast one a bounded one", () => {
  const slow = new FingerprintWindow(new WindowRoom(0));
  for (let i = 1; i <= 1000; i++) slow.add(i, i, startMs + i * 60_000);
  assert.equal(slow.count, 4);
  const fast = new FingerprintWindow(new WindowRoom(0));
  for (let i = 1; i <= 5000; i++) fast.add(i, i, startMs);
  assert.equal(fast.count, windowMax);
  assert.equal(fast.overrun, 5000 - windowMax);
  assert.deepEqual([fast.has(5000, 5000), fast.has(3977, 3977), fast.has(3976, 3976)], [
    true,
    true,
    false,
  ]);
});

Deno.test("a clock that is set back makes no window grow", () => {
  const window = new FingerprintWindow(new WindowRoom(0));
  const start = 1_700_000_000_000;
  for (let i = 0; i < 100; i++) window.add(i, i, start + i * 60_000);
  for (let i = 0; i < 2_000; i++) window.add(i, ~i >>> 0, start - 3_600_000 + i * 20_000);
  assert.ok(window.count <= 16);
  assert.ok(window.recent(start - 7_200_000).length <= 32);
});
