import assert from "node:assert/strict";
import { Custody } from "./custody.ts";

Deno.test("a record is needed from its commit until the store has had it for long enough", () => {
  const custody = new Custody(30_000);
  custody.hand(0);
  custody.hand(1);
  assert.equal(custody.owes(0, 2), true);
  assert.equal(custody.delivered(0, 0), true);
  assert.equal(custody.delivered(0, 0), false); // once
  assert.equal(custody.owes(0, 1), false);
  assert.equal(custody.needs(0, 1), true);
  assert.equal(custody.firstNeeded, 0);
  custody.kept.drop(0, 1);
  assert.equal(custody.needs(0, 1), false);
  assert.equal(custody.firstNeeded, 1);
  custody.delivered(1, 0);
  custody.kept.drop(0, 2);
  assert.equal(custody.firstNeeded, undefined);
});

Deno.test("what the store may have forgotten waits again, marked as written before", () => {
  const custody = new Custody(30_000);
  for (let i = 0; i < 4; i++) custody.hand(i);
  custody.leave(3);
  custody.delivered(0, 0);
  custody.delivered(1, 0);
  custody.rewriteKept();
  assert.equal(custody.nextWaiting, 0);
  assert.deepEqual([0, 1, 2, 3].map((i) => custody.isAgain(i)), [true, true, false, false]);
  custody.hand(0);
  custody.delivered(0, 1);
  assert.equal(custody.isAgain(0), false);
  assert.equal(custody.kept.first, 0);
});

Deno.test("what is gone from the disk is not waited for, but the writer still has what it has", () => {
  const custody = new Custody(30_000);
  custody.hand(0);
  custody.hand(1);
  custody.leave(1);
  custody.forget(0, 2);
  assert.equal(custody.isWaiting(1), false);
  assert.equal(custody.owes(0, 1), true);
  assert.equal(custody.delivered(0, 0), true);
});
