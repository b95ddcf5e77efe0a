import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import type { Changes } from "../gateways/auth/account_store.ts";
import { SqliteAccounts } from "../gateways/auth/sqlite_accounts.ts";
import { ServiceAccounts } from "./service_accounts.ts";

/** Notes how many reads are under way at once, and how many there were. */
class Watched extends SqliteAccounts {
  reads = 0;
  atOnce = 0;
  atOnceMax = 0;

  override changedSince(sinceMs: number): Promise<Changes> {
    return this.#read(() => super.changedSince(sinceMs));
  }

  override changesAfter(sequence: number): Promise<Changes> {
    return this.#read(() => super.changesAfter(sequence));
  }

  override hasRole(): Promise<boolean> {
    return Promise.resolve(true); // No first admin: its password takes long.
  }

  async #read(read: () => Promise<Changes>): Promise<Changes> {
    this.reads++;
    this.atOnceMax = Math.max(this.atOnceMax, ++this.atOnce);
    await Promise.resolve();
    const changes = await read();
    this.atOnce--;
    return changes;
  }
}

async function accountsIn(store: SqliteAccounts): Promise<ServiceAccounts> {
  const { config } = await parseConfig({});
  return new ServiceAccounts({
    config,
    store,
    endpoints: [],
    workers: () => [],
    firstAdmin: () => {},
    load: () => Promise.resolve(0),
  }, []);
}

Deno.test("changes are read once at a time, and who asks meanwhile gets a read that begins later", async () => {
  const store = new Watched(":memory:");
  const accounts = await accountsIn(store);
  const first = accounts.poll();
  while (store.atOnce === 0) await Promise.resolve();
  await Promise.all([first, accounts.poll(), accounts.poll(), accounts.poll()]);
  assert.deepEqual([store.reads, store.atOnceMax], [2, 1]);
  await accounts.poll();
  assert.equal(store.reads, 3);
  const last = accounts.poll();
  await accounts.stop();
  await last;
  assert.equal(store.reads, 3);
});

Deno.test("an answer that cannot be sent is told as one that cannot be had", async () => {
  const accounts = await accountsIn(new Watched(":memory:"));
  const { promise, resolve } = Promise.withResolvers<string>();
  accounts.tell({
    question: { name: "nobody", address: "192.0.2.1", proof: "certificate" },
    replyTo: {
      path: "test",
      tell: ({ kind }) => {
        if (kind !== "unavailable") throw new RangeError("too large");
        resolve(kind);
        return "accepted";
      },
    },
  });
  assert.equal(await promise, "unavailable");
  await accounts.stop();
});
