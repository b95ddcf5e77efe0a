import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { KeptDatabase } from "./kept_database.ts";

Deno.test("a file of an earlier Sluice: the client's QoS 2 messages are taken over, once", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/sessions.db`;
  const earlier = new DatabaseSync(file);
  earlier.exec(`
    CREATE TABLE session (
      id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
      epoch INTEGER NOT NULL, holder INTEGER, expiry_s INTEGER NOT NULL, expires_ms INTEGER,
      will BLOB, will_delay_s INTEGER NOT NULL, will_due_ms INTEGER,
      next INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,
      count INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX session_account ON session (account) WHERE account <> '';
    CREATE TABLE received (
      session INTEGER NOT NULL, packet_id INTEGER NOT NULL, settled INTEGER NOT NULL,
      PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
    CREATE TABLE incoming (
      session INTEGER NOT NULL, packet_id INTEGER NOT NULL, settled INTEGER NOT NULL,
      epoch INTEGER, n INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
    CREATE TABLE queue (
      session INTEGER NOT NULL, n INTEGER NOT NULL, flags INTEGER NOT NULL, ids TEXT,
      bytes INTEGER NOT NULL, body BLOB, message INTEGER, PRIMARY KEY (session, n)) WITHOUT ROWID;
    INSERT INTO queue VALUES (1, 4, 1, NULL, 100, NULL, 5);
    INSERT INTO incoming VALUES (1, 6, 0, 2, 3);
    INSERT INTO received VALUES (1, 7, 1), (1, 8, 0);`);
  earlier.close();
  const shards = [0, 1].map(() => new KeptDatabase(file, 1_000));
  for (const shard of shards) {
    assert.deepEqual(
      shard.prepare("SELECT session, packet_id, settled, epoch, n, shares FROM incoming").all()
        .map((row) => Object.values(row)),
      [[1, 6, 0, 2, 3, null], [1, 7, 1, null, 0, null], [1, 8, 0, null, 0, null]],
    );
    const waiting = shard.prepare("SELECT n, message, share FROM queue").all();
    assert.deepEqual(waiting.map((row) => Object.values(row)), [[4, 5, null]]);
    const names = shard.prepare("SELECT name FROM sqlite_master").all().map(({ name }) => name);
    assert.deepEqual(names.filter((name) => name === "received" || name === "session_account"), []);
    shard.close();
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("an account's places are counted in an index alone", async () => {
  const directory = await Deno.makeTempDir();
  const database = new KeptDatabase(`${directory}/sessions.db`, 1_000);
  const plan = database.prepare(
    `EXPLAIN QUERY PLAN SELECT 1 FROM session WHERE account = ? AND account <> ''
     AND (expires_ms IS NULL OR expires_ms > ?) LIMIT ?`,
  ).all("A", 0, 1).map(({ detail }) => String(detail));
  assert.ok(plan.some((step) => step.includes("COVERING INDEX session_places")), plan.join());
  database.close();
  await Deno.remove(directory, { recursive: true });
});
