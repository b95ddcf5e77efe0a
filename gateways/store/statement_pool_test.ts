import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StatementPool } from "./statement_pool.ts";

Deno.test("a statement that was given back is taken again, one in use is not", () => {
  using database = new DatabaseSync(":memory:");
  const pool = new StatementPool(database, 2);
  const one = pool.take("SELECT 1 AS a");
  const other = pool.take("SELECT 1 AS a");
  assert.notEqual(one, other);
  const rows = one.iterate();
  rows.next();
  rows.return?.();
  pool.give("SELECT 1 AS a", one);
  assert.equal(pool.take("SELECT 1 AS a"), one);
  assert.deepEqual({ ...one.get() }, { a: 1 });
  assert.notEqual(pool.take("SELECT 2 AS a"), other);
});

Deno.test("no more are kept than may be; those whose text is wanted least go first", () => {
  using database = new DatabaseSync(":memory:");
  const pool = new StatementPool(database, 2);
  const texts = ["SELECT 1", "SELECT 2", "SELECT 3"];
  const statements = texts.map((text) => pool.take(text));
  for (const [i, text] of texts.entries()) pool.give(text, statements[i]!);
  assert.equal(pool.count, 2);
  assert.equal(pool.take("SELECT 2"), statements[1]);
  assert.equal(pool.take("SELECT 3"), statements[2]);
  assert.notEqual(pool.take("SELECT 1"), statements[0]);
  assert.equal(pool.count, 0);
});
