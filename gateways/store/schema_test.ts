import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { versionOf } from "../sqlite/file_kind.ts";
import { migrate, schemaVersion, storeKind } from "./schema.ts";
import { openForReading, openForWriting } from "./store_database.ts";
import { withStore } from "./testing/temp_store.ts";

Deno.test("a new file gets the current schema, and migrating it again changes nothing", () => {
  const database = new DatabaseSync(":memory:");
  assert.equal(versionOf(database, storeKind), "new");
  migrate(database);
  assert.equal(versionOf(database, storeKind), schemaVersion);
  migrate(database);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.deepEqual(tables.map(({ name }) => name).sort(), ["metric", "points", "series"]);
  database.close();
});

Deno.test("a file of a newer Sluice is refused and left alone", () =>
  withStore((database, path) => {
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => openForWriting(path), /schema version 99.*start a newer one/);
    const reading = openForReading(path);
    assert.throws(() => versionOf(reading, storeKind), /schema version 99/);
    reading.close();
  }));

Deno.test("a commit is on the disk when it returns", () =>
  withStore((database) => {
    assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
    assert.equal(database.prepare("PRAGMA synchronous").get()?.["synchronous"], 2);
  }));
