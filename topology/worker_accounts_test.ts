import assert from "node:assert/strict";
import type { LimitedAccount } from "../actors/rates/account_limits.ts";
import { parseConfig } from "../config.ts";
import { record } from "../gateways/auth/testing/account_store_cases.ts";
import { SqliteAccounts } from "../gateways/auth/sqlite_accounts.ts";
import { DeadLetters } from "../runtime/dead_letters.ts";
import { Link } from "../runtime/remote_link.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import { ServiceAccounts } from "./service_accounts.ts";
import { WorkerAccounts } from "./worker_accounts.ts";

/** More than two pages. */
const limitedCount = 1_200;

Deno.test("a Worker takes over the limits of all accounts at once, however many pages tell of them", async () => {
  const store = new SqliteAccounts(":memory:");
  const nobody = { actor: "test", action: "add", detail: "", atMs: 0 } as const;
  for (let i = 0; i < limitedCount; i++) {
    await store.add(record(`a${i}`, { limits: { sessionsMax: 1 } }), nobody);
  }
  await store.add(record("admin", { roles: ["admin"] }), nobody);

  const { port1, port2 } = new MessageChannel();
  const deadLetters = new DeadLetters();
  const names = new PublishedNames();
  const host = new Link(port1, { peer: "host", names, deadLetters });
  const main = new Link(port2, { peer: "w", names: new PublishedNames(), deadLetters });
  host.open({});
  main.open({});
  const told: { readonly accounts: readonly LimitedAccount[]; readonly all: boolean }[] = [];
  let opened = Promise.withResolvers<void>();
  let learned = Promise.withResolvers<void>();
  const worker = new WorkerAccounts(
    { host, names },
    {
      setLimits: (accounts, all) => {
        told.push({ accounts, all });
        learned.resolve();
      },
    },
    ({ all }) => {
      if (all) opened.resolve();
    },
  );
  const { config } = await parseConfig({});
  const accounts = new ServiceAccounts({
    config,
    store,
    endpoints: [],
    workers: () => [["w", main]],
    firstAdmin: () => {},
    load: () => Promise.resolve(0),
  }, []);

  const allAtOnce = () => {
    assert.deepEqual(told.map(({ accounts, all }) => [accounts.length, all]), [
      [limitedCount, true],
    ]);
    told.length = 0;
  };
  await accounts.poll();
  await opened.promise;
  assert.ok(worker.gate.open);
  allAtOnce();

  opened = Promise.withResolvers();
  accounts.started("w");
  await opened.promise;
  allAtOnce();

  learned = Promise.withResolvers();
  const change = { ...nobody, action: "limit" } as const;
  await store.change("a7", { limits: { sessionsMax: 2 } }, change);
  await accounts.poll();
  await learned.promise;
  assert.deepEqual(told, [
    { accounts: [{ name: "a7", limits: { sessionsMax: 2 } }], all: false },
  ]);
  await accounts.stop();
  host.close("done");
  main.close("done");
});
