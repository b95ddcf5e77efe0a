import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isDamage, isFileFault, isFull, isUnknownName, resultCode } from "./result_code.ts";

/** What SQLite throws of work on a database in memory, or in a file. */
function thrownBy(work: (database: DatabaseSync) => void, file = ":memory:"): unknown {
  using database = new DatabaseSync(file);
  try {
    work(database);
  } catch (cause) {
    return cause;
  }
  assert.fail("nothing was thrown");
}

Deno.test("a disk that is full is the file's fault, by whatever call it is met", () => {
  const fill = (insert: (database: DatabaseSync) => void) => (database: DatabaseSync) => {
    database.exec("CREATE TABLE t (a); PRAGMA max_page_count = 2");
    for (;;) insert(database);
  };
  for (
    const insert of [
      (database: DatabaseSync) => database.exec("INSERT INTO t VALUES (zeroblob(500))"),
      (database: DatabaseSync) => database.prepare("INSERT INTO t VALUES (zeroblob(500))").run(),
    ]
  ) {
    const cause = thrownBy(fill(insert));
    assert.deepEqual([isFull(cause), isFileFault(cause), isDamage(cause)], [true, true, false]);
  }
});

Deno.test("what is no database is damage, and a statement that is wrong nobody else's fault", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "no database at all, of some length\n".repeat(100));
  for (
    const look of [
      (database: DatabaseSync) => database.exec("PRAGMA journal_mode = WAL"),
      (database: DatabaseSync) => database.prepare("PRAGMA user_version").get(),
    ]
  ) {
    assert.equal(isDamage(thrownBy(look, file)), true);
  }
  await Deno.remove(file);
  const wrong = thrownBy((database) => database.prepare("SELECT x FROM nowhere"));
  assert.deepEqual([isFileFault(wrong), isUnknownName(wrong)], [false, true]);
  const twice = thrownBy((database) => {
    database.exec("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
    database.exec("INSERT INTO t VALUES (1)");
  });
  assert.equal(isFileFault(twice), false);
  assert.equal(resultCode(new Error("database or disk is full")), undefined);
});
