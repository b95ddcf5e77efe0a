import assert from "node:assert/strict";
import fc from "fast-check";
import { FlatOut, OpenLoop } from "./schedule.ts";

Deno.test("open loop: the connections' shares are all of what is due", () => {
  const cases = fc.tuple(
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 1, max: 40 }),
    fc.nat(5_000),
  );
  fc.assert(fc.property(cases, ([rate, connections, nowMs]) => {
    const schedule = new OpenLoop(rate, connections, Infinity);
    schedule.start(100);
    let sum = 0;
    for (let c = 0; c < connections; c++) sum += schedule.of(c).allowed(100 + nowMs);
    assert.equal(sum, schedule.due(100 + nowMs));
    assert.equal(sum, Math.floor(nowMs * rate / 1_000));
  }));
});

Deno.test("open loop: a message is allowed from the moment it is due", () => {
  const schedule = new OpenLoop(1_000, 3, Infinity);
  const second = schedule.of(1);
  assert.equal(second.allowed(1e9), 0); // Not started.
  schedule.start(0);
  assert.equal(second.dueMs(0, 50), 2);
  assert.equal(second.allowed(1.9), 0);
  assert.equal(second.allowed(2), 1);
  assert.equal(second.dueMs(4, 50), 14);
  assert.equal(second.allowed(13.9), 4);
  assert.equal(second.allowed(14), 5);
});

Deno.test("open loop: a whole second is a whole second's messages, whatever the clock's fraction", () => {
  const cases = fc.tuple(
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.integer({ min: 1, max: 60 }),
    fc.constantFrom(1, 3, 100, 2_000, 10_000, 100_000),
  );
  fc.assert(fc.property(cases, ([startMs, seconds, rate]) => {
    const schedule = new OpenLoop(rate, 1, Infinity);
    schedule.start(startMs);
    schedule.stop(startMs + seconds * 1_000);
    assert.equal(schedule.due(Infinity), seconds * rate);
  }));
});

Deno.test("open loop: after the end, what was due before is still sent", () => {
  const schedule = new OpenLoop(1_000, 2, Infinity);
  schedule.start(0);
  const first = schedule.of(0);
  assert.equal(first.finished(5, 10), false);
  schedule.stop(10);
  assert.equal(first.allowed(99), 5);
  assert.equal(first.finished(4, 99), false);
  assert.equal(first.finished(5, 99), true);
});

Deno.test("open loop: no more than the count, which may not divide evenly", () => {
  const schedule = new OpenLoop(1_000, 3, 7);
  schedule.start(0);
  const shares = [0, 1, 2].map((c) => schedule.of(c).allowed(1_000));
  assert.deepEqual(shares, [3, 2, 2]);
  assert.equal(schedule.of(0).finished(3, 1_000), true);
  assert.equal(schedule.of(0).finished(3, 5), false); // Others may be due before the count is full.
});

Deno.test("flat out: all of the count at once, and nothing after the end", () => {
  const schedule = new FlatOut(2, 5);
  const [first, second] = [schedule.of(0), schedule.of(1)];
  assert.equal(first.allowed(0), 0);
  schedule.start();
  assert.deepEqual([first.allowed(0), second.allowed(0)], [3, 2]);
  assert.equal(first.dueMs(2, 77), 77);
  assert.equal(first.finished(2, 0), false);
  assert.equal(first.finished(3, 0), true);
  schedule.stop();
  assert.equal(first.allowed(0), 0);
  assert.equal(first.finished(1, 0), true);
});

Deno.test("open loop: a rate of nothing is refused", () => {
  assert.throws(() => new OpenLoop(0, 1, Infinity), RangeError);
});
