import assert from "node:assert/strict";
import {
  AccountQuotas,
  accountQuotasBytes,
  accountQuotasMemory,
  type AccountQuotaSpecs,
} from "./account_quotas.ts";

function workers(specs: AccountQuotaSpecs) {
  const memory = accountQuotasMemory(specs, 2, 7);
  const worker = (n: number) => new AccountQuotas(memory, specs, n);
  return { a: worker(0), b: worker(1), worker };
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
  assert.equal(accountQuotasBytes(none, 9), 0);
  assert.equal(workers(none).a.subscriptionsOf("x"), undefined);
  const { a } = workers({ sessionsMax: 1, subscriptionsMax: 1 });
  for (let i = 0; i < 5; i++) assert.equal(a.enter("", nowhere), true);
  a.left("");
  assert.equal(a.subscriptionsOf(""), undefined);
});
