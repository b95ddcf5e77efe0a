import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRate, type RateLimit, spend, waitFor } from "./rate_limit.ts";

Deno.test("a rate is read, with blanks and with several parts", () => {
  assert.deepEqual(parseRate(" 20:1 , 600:60"), [
    { count: 20, periodMs: 1_000 },
    { count: 600, periodMs: 60_000 },
  ]);
  assert.deepEqual(parseRate("1:86400"), [{ count: 1, periodMs: 86_400_000 }]);
});

Deno.test("what is no rate is refused with what is allowed", () => {
  for (
    const text of ["", "20", "20/s", ":1", "20:", "0:1", "20:0", "-1:1", "1.5:1", "1:86401", "1:1,"]
  ) {
    assert.throws(() => parseRate(text), { name: "RangeError", message: /count:seconds/ }, text);
  }
  assert.throws(() => parseRate("10000000000:1"), /from 1 to 1000000000/);
  assert.throws(() => parseRate("1:1,2:1"), /names one time twice/);
  assert.throws(() => parseRate("1:1,2:2,3:3,4:4,5:5"), /4 parts at most, this has 5/);
});

const limits = fc.record({
  count: fc.integer({ min: 1, max: 50 }),
  periodMs: fc.constantFrom(1_000, 2_000, 7_000, 60_000),
});
/** Pauses between messages, ms; many are none. */
const pauses = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 }), fc.integer({ max: 90_000, min: 0 })),
  { minLength: 1, maxLength: 300 },
);

/** Sends after each pause; gives the times of those that were let through. */
function letThrough(limit: RateLimit, gaps: readonly number[]): number[] {
  const sent: number[] = [];
  let restedMs = 0;
  let nowMs = 1_000_000;
  for (const gap of gaps) {
    nowMs += gap;
    if (waitFor(limit, restedMs, nowMs, 1) > 0) continue;
    restedMs = spend(limit, restedMs, nowMs, 1);
    sent.push(nowMs);
  }
  return sent;
}

Deno.test("nobody gets more than the count, and its share of the time, in any time", () => {
  fc.assert(fc.property(limits, pauses, (limit, gaps) => {
    const sent = letThrough(limit, gaps);
    for (let from = 0; from < sent.length; from++) {
      for (let to = from; to < sent.length; to++) {
        const most = limit.count * (1 + (sent[to]! - sent[from]!) / limit.periodMs);
        assert.ok(to - from + 1 <= most + 0.001, `${to - from + 1} of ${most}`);
      }
    }
  }));
});

Deno.test("who keeps to the count in every window never waits", () => {
  fc.assert(fc.property(limits, pauses, (limit, gaps) => {
    // A naive sender: it logs what it sent, and sends when its last window has room.
    const kept: number[] = [];
    const pausesKept: number[] = [];
    let nowMs = 1_000_000;
    let sinceMs = 0;
    for (const gap of gaps) {
      nowMs += gap;
      sinceMs += gap;
      if (kept.filter((atMs) => atMs > nowMs - limit.periodMs).length >= limit.count) continue;
      kept.push(nowMs);
      pausesKept.push(sinceMs);
      sinceMs = 0;
    }
    assert.equal(letThrough(limit, pausesKept).length, kept.length);
  }));
});

Deno.test("who waits as long as it is told is let through then, and not before", () => {
  fc.assert(fc.property(limits, fc.integer({ min: 1, max: 200 }), (limit, count) => {
    const nowMs = 5_000;
    const restedMs = spend(limit, 0, nowMs, count);
    const waitMs = waitFor(limit, restedMs, nowMs, 1);
    assert.equal(waitMs > 0, count >= limit.count, "at once there is the count and no more");
    assert.equal(waitFor(limit, restedMs, nowMs + waitMs, 1), 0);
    if (waitMs > 0.1) assert.ok(waitFor(limit, restedMs, nowMs + waitMs - 0.1, 1) > 0);
  }));
});

Deno.test("a wait of whole seconds is told as that, whatever the time is", () => {
  const limit = { count: 10, periodMs: 60_000 };
  fc.assert(fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (nowMs) => {
    let restedMs = 0;
    for (let i = 0; i < limit.count; i++) restedMs = spend(limit, restedMs, nowMs, 1);
    assert.equal(waitFor(limit, restedMs, nowMs, 1), 6_000);
  }));
});
