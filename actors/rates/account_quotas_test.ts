import assert from "node:assert/strict";
import { OwnLimits } from "./account_limits.ts";
import {
  AccountQuotas,
  accountQuotasBytes,
  accountQuotasMemory,
  type AccountQuotaSpecs,
} from "./account_quotas.ts";

function workers(specs: AccountQuotaSpecs, mayBeSet = false) {
  const memory = accountQuotasMemory(specs, 2, 7, mayBeSet);
  const limits = new OwnLimits();
  const worker = (n: number) => new AccountQuotas(memory, specs, limits, n);
  return { limits, a: worker(0), b: worker(1), worker };
}

const nowhere = () => ({ count: 0, own: false });

Deno.test("an account has so many sessions over all Workers; one that replaces another may come", () => {
  const { a, b, worker } = workers({ sessionsMax: 2, subscriptionsMax: undefined });
  assert.equal(a.enter("x", nowhere), true);
  assert.equal(b.enter("x", nowhere), true);
  assert.equal(b.enter("x", nowhere), false);
  assert.equal(b.sessionsRefused, 1);
  assert.equal(b.enter("y", nowhere), true);
  assert.equal(b.enter("x", () => ({ count: 0, own: true })), true);
  a.left("x");
  assert.equal(b.enter("x", nowhere), false, "as many as it may have");
  b.left("x");
  assert.equal(a.enter("x", nowhere), true);
  // A Worker that is lost takes its sessions with it.
  worker(1);
  assert.equal(a.enter("x", nowhere), true);
  assert.equal(a.enter("x", nowhere), false);
});

Deno.test("places elsewhere count, and a session that has moved there is counted once", () => {
  const { a, b } = workers({ sessionsMax: 3, subscriptionsMax: undefined });
  const kept = (count: number, own = false) => () => ({ count, own });
  assert.equal(a.enter("x", kept(2)), true);
  assert.equal(b.enter("x", kept(2)), false);
  a.left("x"); // It is kept.
  assert.equal(b.enter("x", kept(3)), false);
  assert.equal(b.enter("x", kept(3, true)), true);
  b.left("x");
  assert.equal(b.enter("x", kept(2)), true);
});

Deno.test("an account has so many subscriptions over all of its sessions", () => {
  const { a, b } = workers({ sessionsMax: undefined, subscriptionsMax: 5 });
  const one = a.subscriptionsOf("x")!;
  const other = b.subscriptionsOf("x")!;
  one.counted(3);
  one.counted(2);
  other.counted(2);
  assert.equal(one.full, false);
  other.counted(3);
  assert.equal(one.full, true);
  assert.equal(b.subscriptionsOf("y")?.full, false);
  one.counted(0);
  assert.equal(other.full, false);
});

Deno.test("without quotas, and without an account, nothing is kept or refused", () => {
  const none = { sessionsMax: undefined, subscriptionsMax: undefined };
  assert.equal(accountQuotasBytes(none, 9, false), 0);
  assert.equal(workers(none).a.subscriptionsOf("x"), undefined);
  const { a } = workers({ sessionsMax: 1, subscriptionsMax: 1 });
  for (let i = 0; i < 5; i++) assert.equal(a.enter("", nowhere), true);
  a.left("");
  assert.equal(a.subscriptionsOf(""), undefined);
});

Deno.test("an account's own limits take the place of the others', from the moment they are set", () => {
  const none = { sessionsMax: 1, subscriptionsMax: undefined };
  const { a, b, limits } = workers(none, true);
  const subscriptions = a.subscriptionsOf("x")!;
  subscriptions.counted(3);
  assert.deepEqual([a.enter("x", nowhere), b.enter("x", nowhere)], [true, false]);
  assert.equal(subscriptions.full, false);
  limits.set({ name: "x", limits: { sessionsMax: 2, subscriptionsMax: 3 } });
  assert.deepEqual([b.enter("x", nowhere), b.enter("x", nowhere)], [true, false]);
  assert.equal(subscriptions.full, true);
  assert.equal(a.subscriptionsOf("y")?.full, false);
  limits.set({ name: "x", limits: {} });
  assert.equal(subscriptions.full, false);
  a.left("x");
  assert.equal(a.enter("x", nowhere), false, "there is still one");
});
