import assert from "node:assert/strict";
import { testWith } from "../testing/programs.ts";
import { startPostgres } from "../testing/servers.ts";
import { AccountsAwayError } from "./accounts_away.ts";
import { PostgresAccounts } from "./postgres_accounts.ts";
import { accountStoreCases, record } from "./testing/account_store_cases.ts";
import postgres from "postgres";

const programs = ["postgres", "initdb", "pg_isready", "setpriv"] as const;
const added = { actor: "cli:root", action: "add", detail: "", atMs: 1 } as const;
const urlOf = (server: { readonly port: number }, database: string) =>
  `postgres://postgres@127.0.0.1:${server.port}/${database}`;

testWith(programs, "PostgreSQL behaves as the embedded store does", async (context) => {
  await using server = await startPostgres();
  const sql = postgres(urlOf(server, "postgres"), { max: 1, onnotice: () => {} });
  let count = 0;
  for (const [name, check] of Object.entries(accountStoreCases)) {
    await context.step(name, async () => {
      const database = `cases_${++count}`;
      await sql.unsafe(`CREATE DATABASE ${database}`);
      const store = new PostgresAccounts(urlOf(server, database));
      await check(store);
      await store.close();
    });
  }
  await context.step("instances that start together migrate once", async () => {
    await sql.unsafe("CREATE DATABASE together");
    const stores = Array.from(
      { length: 4 },
      () => new PostgresAccounts(urlOf(server, "together"), { connectionsMax: 1 }),
    );
    await Promise.all(stores.map((store, i) => store.add(record(`a${i}`), added)));
    assert.equal((await stores[0]!.list({ limit: 10 })).length, 4);
    await Promise.all(stores.map((store) => store.close()));
  });
  await context.step("a database that a newer Sluice has migrated is refused", async () => {
    await sql.unsafe("CREATE DATABASE newer");
    const newer = postgres(urlOf(server, "newer"), { max: 1, onnotice: () => {} });
    await newer`CREATE TABLE sluice_migrations (version integer PRIMARY KEY)`;
    await newer`INSERT INTO sluice_migrations VALUES (99)`;
    await newer.end();
    const store = new PostgresAccounts(urlOf(server, "newer"));
    await assert.rejects(store.find("a"), /a newer Sluice/);
    await store.close();
  });
  await sql.end();
});

testWith(programs, "PostgreSQL may be away at the start, hang, and come back", async () => {
  await using server = await startPostgres();
  await server.stop();
  const store = new PostgresAccounts(urlOf(server, "postgres"));
  await assert.rejects(store.find("a"), AccountsAwayError);
  await assert.rejects(store.add(record("a"), added), AccountsAwayError);
  await server.restart();
  assert.equal(await store.add(record("a"), added), 1);

  // A server that hangs: connections are made, and nothing answers.
  server.pause();
  const hanging = new PostgresAccounts(urlOf(server, "postgres"), { deadlineMs: 1_000 });
  await assert.rejects(hanging.find("a"), AccountsAwayError);
  server.resume();
  await comesBack(hanging);
  await hanging.close();

  await server.kill();
  await assert.rejects(store.find("a"), AccountsAwayError);
  await server.restart();
  await comesBack(store);
  await store.close();
});

/** Calls that found the old connection lost may fail; soon they do not. */
async function comesBack(store: PostgresAccounts): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      assert.equal((await store.find("a"))?.name, "a");
      return;
    } catch (cause) {
      if (tries === 10 || cause instanceof assert.AssertionError) throw cause;
    }
  }
}
