import assert from "node:assert/strict";
import { KeepWindow } from "./keep_window.ts";

const keepMs = 30_000;

Deno.test("a record is kept until the store was seen up that long after, and settled", () => {
  const kept = new KeepWindow(keepMs);
  kept.add(7, 0);
  kept.seen(1_000);
  kept.seen(29_999);
  kept.seen(30_500); // within settleMs of the one before: says nothing new
  kept.seen(33_000); // confirms 29,999
  assert.equal(kept.intersects(7, 8), true);
  kept.seen(36_000); // confirms 33,000
  assert.equal(kept.empty, true);
});

Deno.test("while nothing is heard of the store everything is kept", () => {
  const kept = new KeepWindow(keepMs);
  kept.add(7, 0);
  kept.seen(10_000_000); // the first answer after long silence: it may have restarted
  assert.equal(kept.first, 7);
});

Deno.test("doubt starts the evidence anew", () => {
  const kept = new KeepWindow(keepMs);
  kept.add(7, 0);
  kept.seen(40_000);
  kept.doubt();
  kept.seen(44_000);
  assert.equal(kept.empty, false);
  kept.seen(48_000);
  assert.equal(kept.empty, true);
});

Deno.test("what is taken is all that is kept, once", () => {
  const kept = new KeepWindow(keepMs);
  for (let i = 0; i < 10; i++) kept.add(i * 2, i * 500);
  kept.drop(0, 3);
  assert.equal(kept.first, 4);
  assert.deepEqual([...kept.take()].length, 8);
  assert.equal(kept.empty, true);
  assert.equal(kept.first, undefined);
});

Deno.test("a store that flaps for ever costs bounded memory and loses nothing", () => {
  const kept = new KeepWindow(keepMs);
  for (let i = 0; i < 10_000; i++) {
    kept.add(i, i * 2_000);
    kept.doubt();
  }
  assert.deepEqual([...kept.take()], [[0, 10_000]]);
});

Deno.test("a durable store needs no keeping", () => {
  const kept = new KeepWindow(0);
  kept.add(1, 0);
  assert.equal(kept.empty, true);
});
