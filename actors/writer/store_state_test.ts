import assert from "node:assert/strict";
import { StoreState } from "./store_state.ts";

Deno.test("before its first answer a store counts as away, and is asked at once", () => {
  const store = new StoreState(0);
  assert.match(store.reason ?? "", /not answered yet/);
  assert.equal(store.writeInMs(false, 0), 0);
  assert.equal(store.probeInMs(false, 0), 0);
  assert.equal(store.failingMs(1_000), 0);
  assert.deepEqual(store.answered(5), { awayMs: undefined, seen: true });
  assert.equal(store.reason, undefined);
});

Deno.test("a store that is away is asked by one alone, and not before its time", () => {
  const store = new StoreState(0);
  store.answered(0);
  assert.equal(store.writeInMs(true, 10), 0);
  store.failed("503", 200, 10);
  assert.equal(store.writeInMs(false, 10), 200);
  assert.equal(store.writeInMs(true, 10), Infinity);
  assert.equal(store.probeInMs(false, 60), 150);
  assert.equal(store.probeInMs(true, 60), Infinity);
  store.probing();
  assert.deepEqual([store.writeInMs(false, 500), store.probeInMs(false, 500)], [
    Infinity,
    Infinity,
  ]);
  store.probed();
  assert.deepEqual([store.writeInMs(false, 500), store.probeInMs(false, 500)], [0, 0]);
});

Deno.test("an outage is told when it begins, when its reason changes, and when it ends", () => {
  const store = new StoreState(0);
  store.answered(0);
  assert.equal(store.failed("503", 100, 1_000), "away");
  assert.equal(store.failed("503", 100, 1_100), undefined);
  assert.equal(store.failed("refused", 100, 1_200), "reason");
  assert.deepEqual([store.failures, store.failingMs(3_000), store.reason], [3, 2_000, "refused"]);
  assert.deepEqual(store.answered(3_500), { awayMs: 2_500, seen: true });
  assert.deepEqual([store.failures, store.failingMs(4_000), store.away], [0, 0, false]);
});

Deno.test("that it runs on is told once a second, and at once after an outage", () => {
  const store = new StoreState(0);
  const seen = (atMs: number) => store.answered(atMs).seen;
  assert.deepEqual([0, 999, 1_000, 1_500, 2_000].map(seen), [true, false, true, false, true]);
  store.failed("503", 0, 2_100);
  assert.equal(seen(2_200), true);
});

Deno.test("one whose yes is not durable is looked after until it was long enough", () => {
  const store = new StoreState(20_000);
  store.answered(0);
  assert.equal(store.probeInMs(false, 0), Infinity); // It has taken nothing.
  store.stored(0);
  assert.equal(store.probeInMs(false, 1_000), 4_000);
  store.answered(19_000);
  assert.equal(store.probeInMs(false, 19_000), 5_000);
  assert.equal(store.probeInMs(false, 20_000), Infinity);
  const durable = new StoreState(0);
  durable.answered(0);
  durable.stored(0);
  assert.equal(durable.probeInMs(false, 0), Infinity);
});
