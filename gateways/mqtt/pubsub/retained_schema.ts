/**
 * The tables of retained messages: what is kept, how much it is in all, and how many are whose.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { FileKind } from "../../sqlite/file_kind.ts";

export const retainedKind: FileKind = {
  version: 1,
  holds: "SELECT topic, message, expires_ms FROM retained",
  unversioned: true,
};

/** What is not there yet is made. */
export const retainedSchema = `
  CREATE TABLE IF NOT EXISTS retained
    (topic TEXT PRIMARY KEY, message BLOB NOT NULL, expires_ms INTEGER, owner TEXT) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS retained_expiry ON retained (expires_ms) WHERE expires_ms IS NOT NULL;
  CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY, count INTEGER, bytes INTEGER);
  INSERT OR IGNORE INTO total VALUES (1, 0, 0);
  CREATE TRIGGER IF NOT EXISTS retained_in AFTER INSERT ON retained BEGIN
    UPDATE total SET count = count + 1, bytes = bytes + length(new.message);
  END;
  CREATE TRIGGER IF NOT EXISTS retained_again AFTER UPDATE ON retained BEGIN
    UPDATE total SET bytes = bytes + length(new.message) - length(old.message);
  END;
  CREATE TRIGGER IF NOT EXISTS retained_out AFTER DELETE ON retained BEGIN
    UPDATE total SET count = count - 1, bytes = bytes - length(old.message);
  END;
  CREATE TABLE IF NOT EXISTS owners (account TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;`;

/** `owner` came later than the rest: of what was kept before, nobody is the owner. */
const owner = "ALTER TABLE retained ADD COLUMN owner TEXT";

const more = (row: string): string =>
  `INSERT INTO owners SELECT ${row}.owner, 1 WHERE ${row}.owner IS NOT NULL
   ON CONFLICT (account) DO UPDATE SET count = count + 1;`;
const less = (row: string): string =>
  `UPDATE owners SET count = count - 1 WHERE account = ${row}.owner;
   DELETE FROM owners WHERE account = ${row}.owner AND count <= 0;`;

const owners = `
  CREATE TRIGGER IF NOT EXISTS owner_in AFTER INSERT ON retained BEGIN ${more("new")} END;
  CREATE TRIGGER IF NOT EXISTS owner_again AFTER UPDATE ON retained
    WHEN old.owner IS NOT new.owner BEGIN ${less("old")} ${more("new")} END;
  CREATE TRIGGER IF NOT EXISTS owner_out AFTER DELETE ON retained BEGIN ${less("old")} END;`;

/** Brings a file that an earlier Sluice made up to this one; several shards may do so at once. */
export function migrateRetained(database: DatabaseSync): void {
  const done = "SELECT 1 FROM sqlite_schema WHERE name = 'owner_out'";
  if (database.prepare(done).get() !== undefined) return;
  database.exec("BEGIN IMMEDIATE");
  const column = "SELECT 1 FROM pragma_table_info('retained') WHERE name = 'owner'";
  if (database.prepare(column).get() === undefined) database.exec(owner);
  database.exec(`${owners} COMMIT`);
}
