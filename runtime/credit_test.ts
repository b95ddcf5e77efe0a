import assert from "node:assert/strict";
import { ReceiveCredit, SendCredit } from "./credit.ts";

Deno.test("a window must hold two of the largest messages", () => {
  assert.throws(() => new SendCredit({ count: 1, bytes: 100 }, 10), RangeError);
  assert.throws(() => new SendCredit({ count: 9, bytes: 19 }, 10), RangeError);
  new SendCredit({ count: 2, bytes: 20 }, 10);
});

Deno.test("once refused, a sender waits until half the window is free", () => {
  const credit = new SendCredit({ count: 4, bytes: 1000 }, 100);
  for (let i = 0; i < 4; i++) assert.equal(credit.take(10), true);
  assert.equal(credit.take(10), false);
  assert.equal(credit.granted({ count: 1, bytes: 10 }), false);
  assert.equal(credit.take(10), false);
  assert.equal(credit.granted({ count: 2, bytes: 20 }), true);
  assert.equal(credit.take(10), true);
  assert.equal(credit.underwayCount, 3);
  assert.equal(credit.underwayBytes, 30);
});

Deno.test("a grant that goes back, or beyond what was sent, is an error", () => {
  const credit = new SendCredit({ count: 4, bytes: 1000 }, 100);
  credit.take(10);
  credit.take(10);
  credit.granted({ count: 1, bytes: 10 });
  for (const wrong of [{ count: 0, bytes: 10 }, { count: 3, bytes: 20 }, { count: 2, bytes: 21 }]) {
    assert.throws(() => credit.granted(wrong), RangeError);
  }
  assert.throws(() => credit.granted({ count: NaN, bytes: 10 }), RangeError);
  assert.equal(credit.underwayCount, 1);
});

Deno.test("a receiver grants by quarters, and takes no more than it granted", () => {
  const credit = new ReceiveCredit({ count: 8, bytes: 1000 });
  for (let i = 0; i < 8; i++) credit.received(10);
  assert.throws(() => credit.received(10), RangeError);
  credit.consumed(10);
  assert.equal(credit.grantDue, false);
  credit.consumed(10);
  assert.equal(credit.grantDue, true);
  assert.deepEqual(credit.grant(), { count: 2, bytes: 20 });
  assert.equal(credit.grantDue, false);
  assert.equal(credit.heldCount, 7);
  assert.equal(credit.heldBytes, 70);
});
