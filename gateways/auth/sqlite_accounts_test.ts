import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { AccountsAwayError } from "./accounts_away.ts";
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

Deno.test("embedded: a file that is damaged meanwhile is a database that is away", async () => {
  const path = await Deno.makeTempFile();
  const seed = new SqliteAccounts(path);
  for (let i = 0; i < 200; i++) await seed.add(record(`account-${i}`), added);
  await seed.close(); // What is in the WAL goes into the file.
  const store = new SqliteAccounts(path);
  const bytes = await Deno.readFile(path);
  crypto.getRandomValues(bytes.subarray(2 * 4_096, 2 * 4_096 + 32_768));
  await Deno.writeFile(path, bytes);
  await assert.rejects(store.list({ limit: 1_000 }), AccountsAwayError);
  await store.close();
  await Deno.remove(path);
});
