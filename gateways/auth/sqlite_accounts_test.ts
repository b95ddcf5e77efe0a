import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SqliteAccounts } from "./sqlite_accounts.ts";
import { accountStoreCases, record } from "./testing/account_store_cases.ts";

for (const [name, check] of Object.entries(accountStoreCases)) {
  Deno.test(`embedded: ${name}`, async () => {
    const store = new SqliteAccounts(":memory:");
    await check(store);
    await store.close();
  });
}

const added = { actor: "cli:root", action: "add", detail: "", atMs: 1 } as const;

Deno.test("embedded: two processes see each other's changes", async () => {
  const path = await Deno.makeTempDir();
  const service = new SqliteAccounts(`${path}/accounts.db`);
  const commandLine = new SqliteAccounts(`${path}/accounts.db`);
  await commandLine.add(record("a"), added);
  assert.equal((await service.find("a"))?.name, "a");
  const { sequence } = await service.changedSince(0);
  await commandLine.change("a", { disabled: true }, { ...added, action: "disable" });
  assert.deepEqual((await service.changesAfter(sequence)).changed, [{ name: "a", version: 2 }]);
  await service.close();
  await commandLine.close();
  await Deno.remove(path, { recursive: true });
});

Deno.test("embedded: a file of a newer Sluice is refused", async () => {
  const path = await Deno.makeTempFile();
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  assert.throws(() => new SqliteAccounts(path), /schema version 99.*start a newer one/);
  await Deno.remove(path);
});

Deno.test("embedded: accounts of an earlier Sluice have no limits of their own, and can get some", async () => {
  const path = await Deno.makeTempFile();
  const seed = new SqliteAccounts(path);
  await seed.add(record("a"), added);
  await seed.close();
  const earlier = new DatabaseSync(path);
  earlier.exec(
    "DROP INDEX accounts_limited; ALTER TABLE accounts DROP COLUMN limits; PRAGMA user_version = 2",
  );
  earlier.close();
  const store = new SqliteAccounts(path);
  assert.deepEqual(await store.find("a"), record("a", { createdMs: 1, changedMs: 1 }));
  const limits = { points: "9:1" };
  await store.change("a", { limits }, { ...added, action: "limit" });
  assert.deepEqual((await store.find("a"))?.limits, limits);
  await store.close();
  await Deno.remove(path);
});
