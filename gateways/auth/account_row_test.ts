import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SqliteAccounts } from "./sqlite_accounts.ts";
import { record } from "./testing/account_store_cases.ts";

const added = { actor: "cli:root", action: "add", detail: "", atMs: 1 } as const;

Deno.test("limits that somebody wrote wrong keep nobody out: the rest of them holds", async () => {
  const path = await Deno.makeTempFile();
  const store = new SqliteAccounts(path);
  await store.add(record("a"), added);
  await store.add(record("b", { limits: { points: "9:1" } }), added);
  const byHand = new DatabaseSync(path);
  const written = [
    '{"sesionsMax":3}',
    '{"sessionsMax":0}',
    '{"sessionsMax":-1}',
    '{"sessionsMax":1.5}',
    '{"sessionsMax":12345678901}',
    '{"sessionsMax":"3"}',
    '{"points":"0:0"}',
    '{"points":"1:1,2:1"}',
    '{"points":7}',
    "[]",
    "7",
    "{",
  ];
  for (const limits of written) {
    byHand.prepare("UPDATE accounts SET limits = ? WHERE name = 'a'").run(limits);
    assert.deepEqual((await store.find("a"))?.limits, {}, limits);
    assert.deepEqual((await store.list({ limit: 9 })).map(({ name }) => name), ["a", "b"]);
    const { limited } = await store.changedSince(0);
    assert.deepEqual(limited.find(({ name }) => name === "b")?.limits, { points: "9:1" });
    const wrong = limited.find(({ name }) => name === "a");
    assert.deepEqual([wrong?.limits, wrong?.unread.length], [{}, 1], limits);
  }
  byHand.prepare("UPDATE accounts SET limits = ? WHERE name = 'a'")
    .run('{"messages":"0:0","sessionsMax":3,"other":1}');
  assert.deepEqual((await store.find("a"))?.limits, { sessionsMax: 3 });
  const limits = { messages: "5:1" };
  const after = await store.change("a", { limits }, { ...added, action: "limit" });
  assert.deepEqual(after?.limits.messages, "5:1");
  byHand.close();
  await store.close();
  await Deno.remove(path);
});
