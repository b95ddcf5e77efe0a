import assert from "node:assert/strict";
import { OwnLimits } from "./account_limits.ts";
import {
  AccountQuotas,
  accountQuotasBytes,
  accountQuotasMemory,
  type AccountQuotaSpecs,
  type PlacesElsewhere,
  type SubscriptionQuota,
} from "./account_quotas.ts";

/** Every session that enters has a key of its own; those that leave are the first. */
class Keyed {
  readonly #quotas: AccountQuotas;
  readonly #worker: number;
  readonly #keys: string[] = [];
  #count = 0;

  constructor(quotas: AccountQuotas, worker: number) {
    this.#quotas = quotas;
    this.#worker = worker;
  }

  get sessionsRefused(): number {
    return this.#quotas.sessionsRefused;
  }

  enter(
    account: string,
    elsewhere: () => PlacesElsewhere,
    key = `${this.#worker}-${this.#count++}`,
  ): boolean {
    const entered = this.#quotas.enter(account, `${account}\0${key}`, elsewhere);
    if (entered === "here") this.#keys.push(`${account}\0${key}`);
    return entered !== undefined;
  }

  take(account: string, key: string): void {
    this.#quotas.take(account, `${account}\0${key}`);
    this.#keys.push(`${account}\0${key}`);
  }

  left(account: string): void {
    const at = this.#keys.findIndex((key) => key.startsWith(`${account}\0`));
    const [key = ""] = this.#keys.splice(at, 1);
    this.#quotas.left(account, key);
  }

  subscriptionsOf(account: string): SubscriptionQuota | undefined {
    return this.#quotas.subscriptionsOf(account);
  }
}

function workers(specs: AccountQuotaSpecs, mayBeSet = false) {
  const memory = accountQuotasMemory(specs, { workers: 2, sessionsEach: 100 }, 7, mayBeSet);
  const limits = new OwnLimits();
  const worker = (n: number) => new Keyed(new AccountQuotas(memory, specs, limits, 2, n), n);
  return { limits, a: worker(0), b: worker(1), worker };
}

const places = (count: number, own = false) => () => ({ own, count: () => count });
const nowhere = places(0);

Deno.test("an account has so many sessions over all Workers; one that replaces another may come", () => {
  const { a, b, worker } = workers({ sessionsMax: 2, subscriptionsMax: undefined });
  assert.equal(a.enter("x", nowhere), true);
  assert.equal(b.enter("x", nowhere), true);
  assert.equal(b.enter("x", nowhere), false);
  assert.equal(b.sessionsRefused, 1);
  assert.equal(b.enter("y", nowhere), true);
  assert.equal(b.enter("x", places(0, true)), true);
  a.left("x");
  assert.equal(a.enter("x", nowhere), true);
  // A Worker that is lost takes its sessions with it.
  worker(1);
  assert.equal(a.enter("x", nowhere), true);
  assert.equal(a.enter("x", nowhere), false);
});

Deno.test("places elsewhere count, and a session that has moved there is counted once", () => {
  const { a, b } = workers({ sessionsMax: 3, subscriptionsMax: undefined });
  assert.equal(a.enter("x", places(2)), true);
  assert.equal(b.enter("x", places(2)), false);
  a.left("x"); // It is kept.
  assert.equal(b.enter("x", places(3)), false);
  assert.equal(b.enter("x", places(3, true)), true);
  assert.equal(b.enter("x", places(2)), true);
});

Deno.test("a place that moves while it is counted is not overlooked, whichever way it goes", () => {
  const { a, b } = workers({ sessionsMax: 1, subscriptionsMax: undefined });
  assert.equal(a.enter("x", nowhere, "moves"), true);
  const toElsewhere = () => ({
    own: false,
    count: () => { // Read before it was there.
      a.left("x");
      return 0;
    },
  });
  assert.equal(b.enter("x", toElsewhere), false);
  const toHere = () => ({
    own: false,
    count: () => { // Read when it was there no more.
      a.take("x", "moves");
      return 0;
    },
  });
  assert.equal(b.enter("x", toHere), false);
});

Deno.test("who takes over a session enters in any Worker; no client id passes for another", () => {
  const { a, b } = workers({ sessionsMax: 1, subscriptionsMax: undefined });
  assert.equal(a.enter("x", nowhere, "dev"), true);
  for (let i = 0; i < 70_000; i++) assert.equal(b.enter("x", nowhere, `other-${i}`), false);
  assert.equal(b.enter("x", nowhere, "dev"), true);
  a.left("x"); // It was taken over.
  assert.equal(a.enter("x", nowhere, "dev"), true);
  a.left("x");
  b.left("x");
  assert.equal(a.enter("x", nowhere, "new"), true);
  assert.equal(b.enter("x", nowhere, "dev"), false);
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
  assert.equal(accountQuotasBytes(none, { workers: 9, sessionsEach: 100 }, false), 0);
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
