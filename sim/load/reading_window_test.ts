import assert from "node:assert/strict";
import { testPlan } from "../testing/test_plan.ts";
import { LoadBook } from "./load_book.ts";
import { PayloadImage } from "./payload_image.ts";
import { ReadingWindow } from "./reading_window.ts";

/** A sender of `devices` devices whose readings are due, one each ms, up to `count`. */
function setUp({ devices = 1, count = 10, window = 4, poisonEvery = 0 } = {}) {
  const plan = testPlan({ poisonEvery });
  const book = new LoadBook(devices);
  const allowed = (nowMs: number) => Math.min(nowMs, count);
  const readings = new ReadingWindow({
    images: Array.from({ length: devices }, (_, n) => new PayloadImage(plan, n)),
    schedule: {
      allowed,
      dueMs: (k: number) => k + 1,
      finished: (sent: number) => sent >= count,
    },
    book,
    window,
  });
  const all = (nowMs: number, room: number): number[] => {
    const found: number[] = [];
    for (let k; (k = readings.next(nowMs, room)) >= 0;) found.push(k);
    return found;
  };
  return { readings, book, all };
}

Deno.test("what is due is sent, as far as window and room allow", () => {
  const { readings, all } = setUp();
  assert.deepEqual(all(0, 100), []);
  assert.deepEqual(all(2, 100), [0, 1]);
  assert.deepEqual(all(10, 3), [2]);
  assert.deepEqual(all(10, 100), [3]);
  readings.settled(1, 11);
  assert.deepEqual(all(10, 100), []); // The oldest is still open.
  readings.settled(0, 11);
  assert.deepEqual(all(10, 100), [4, 5]);
});

Deno.test("after a break what is open is sent again in its order, and counted as that", () => {
  const { readings, book, all } = setUp();
  assert.deepEqual(all(3, 100), [0, 1, 2]);
  readings.settled(1, 4);
  readings.restart();
  assert.deepEqual(all(10, 100), [0, 2, 3]);
  assert.deepEqual([book.totals.sent, book.totals.resent], [4, 2]);
});

Deno.test("a run is over when all was sent and settled", () => {
  const { readings, all } = setUp({ count: 2 });
  all(5, 100);
  readings.settled(0, 6);
  assert.equal(readings.finished(6), false);
  readings.settled(1, 6);
  assert.equal(readings.finished(6), true);
});

Deno.test("devices take turns, each with a counter of its own", () => {
  const { readings, all } = setUp({ devices: 2 });
  all(4, 100);
  const devices = [0, 1, 2, 3].map((k) => readings.topic(k));
  assert.deepEqual(devices, ["bench/d0", "bench/d1", "bench/d0", "bench/d1"]);
  const counters = [0, 1, 2, 3].map((k) => JSON.parse(readings.payload(k)).seq % 1_000_000_000);
  assert.deepEqual(counters, [0, 0, 1, 1]);
});

Deno.test("each reading is settled once: acknowledged, rejected, or poison that was turned away", () => {
  const { readings, book, all } = setUp({ poisonEvery: 2, window: 10 });
  all(10, 100);
  const isPoison = (k: number) => typeof JSON.parse(readings.payload(k)) === "string";
  const numbers = Array.from({ length: 10 }, (_, k) => k);
  const poison = numbers.find(isPoison) ?? assert.fail("no poison");
  const good = numbers.filter((k) => !isPoison(k));
  readings.settled(good[0]!, 20);
  readings.settled(good[1]!, 20, "no_route");
  readings.settled(poison, 20, "not_an_object");
  assert.deepEqual([book.totals.acknowledged, book.totals.rejected], [2, 1]);
  assert.deepEqual([...book.reasons], [["no_route", 1], ["not_an_object", 1]]);
  for (const k of [good[0]!, 10, -1, NaN]) readings.settled(k, 21);
  assert.equal(book.totals.strayAcknowledgements, 4);
  assert.deepEqual([book.totals.acknowledged, book.totals.rejected], [2, 1]);
});
