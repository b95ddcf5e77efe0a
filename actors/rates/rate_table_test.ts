import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRate } from "./rate_limit.ts";
import { RateTable, rateTableMemory } from "./rate_table.ts";

const startMs = 1_000_000;

function table(messages: string, points = "", entries = 64): RateTable {
  const both = [messages, points].map((text) => text === "" ? [] : parseRate(text));
  const count = both.flat().length;
  return new RateTable(rateTableMemory(count, entries), both[0]!, both[1]!);
}

Deno.test("every key has its own rate, and all parts of it hold", () => {
  const rates = table("3:1,4:60");
  for (let i = 0; i < 3; i++) assert.equal(rates.take(1, startMs), 0);
  assert.ok(rates.take(1, startMs) > 0);
  assert.equal(rates.take(2, startMs), 0);
  assert.equal(rates.take(1, startMs + 1_000), 0, "the fourth in the minute");
  assert.equal(Math.round(rates.take(1, startMs + 2_000)), 13_000, "the fifth waits for its place");
  assert.equal(rates.take(1, startMs + 15_000), 0);
});

Deno.test("a refused one has spent nothing of any part", () => {
  const rates = table("1:1,100:3600");
  assert.equal(rates.take(1, startMs), 0);
  for (let i = 0; i < 1_000; i++) assert.ok(rates.take(1, startMs) > 0);
  for (let i = 1; i < 100; i++) assert.equal(rates.take(1, startMs + i * 1_000), 0);
});

Deno.test("what is given back is there again", () => {
  const rates = table("1:1");
  assert.equal(rates.take(1, startMs), 0);
  rates.giveBack(1, startMs);
  assert.equal(rates.take(1, startMs), 0);
  assert.ok(rates.take(1, startMs) > 0);
});

Deno.test("points beyond the first are a debt that delays the next message", () => {
  const rates = table("100:1", "10:1");
  assert.equal(rates.take(1, startMs), 0);
  rates.charge(1, 24, startMs); // 25 points with its first
  assert.equal(Math.round(rates.waitMs(1, startMs)), 1_600);
  assert.ok(rates.take(1, startMs + 1_599) > 0);
  assert.equal(rates.take(1, startMs + 1_600), 0);
  assert.equal(rates.waitMs(7, startMs), 0, "nothing is known of that one");
});

Deno.test("all views of one memory are one rate", () => {
  const memory = rateTableMemory(1, 64);
  const views = Array.from({ length: 4 }, () => new RateTable(memory, parseRate("10:1")));
  let taken = 0;
  for (let i = 0; i < 40; i++) if (views[i % 4]!.take(99, startMs) === 0) taken++;
  assert.equal(taken, 10);
});

Deno.test("a lock that a lost Worker left behind is taken over", () => {
  const memory = rateTableMemory(1, 16);
  const rates = new RateTable(memory, parseRate("1:1"));
  new Int32Array(memory, 16 * 3 * 8).fill(1);
  assert.equal(rates.take(1, startMs), 0);
  assert.ok(rates.take(1, startMs) > 0);
});

Deno.test("more keys than places: the rested go first, and nobody is held for another", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 2_000 })), {
      minLength: 1,
      maxLength: 500,
    }),
    (sends) => {
      const small = table("2:1", "", 16);
      const large = table("2:1", "", 4_096);
      let nowMs = startMs;
      for (const [key, gap] of sends) {
        nowMs += gap;
        const wide = large.take(key, nowMs);
        const narrow = small.take(key, nowMs);
        assert.ok(narrow <= wide + 0.001, "a small table may forget, never invent");
      }
    },
  ));
});
