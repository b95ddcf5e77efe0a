/**
 * The tables of the embedded store, and how an older file becomes the current one.
 *
 * A row of `points` is one instant of one series and holds up to {@linkcode slotsPerRow} fields, so
 * a reading with four values costs one row. A series with more fields has further rows in the
 * `points` of its other pages. The key (series, time) makes writing a point twice the same as
 * writing it once, and keeps each series in the order of time, which is how it is read.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { type FileKind, versionOf } from "../sqlite/file_kind.ts";

/** Fields in one row of `points`: `v0` … `v7`. */
export const slotsPerRow = 8;
/** The names of those columns. */
export const slotColumns: readonly string[] = Array.from(
  { length: slotsPerRow },
  (_, slot) => `v${slot}`,
);

/** `migrations[n]` makes version n + 1 of version n. Only ever appended to. */
const migrations: readonly string[] = [
  `CREATE TABLE series (
     id INTEGER PRIMARY KEY,
     device TEXT NOT NULL,
     key TEXT NOT NULL,          -- measurement and tags as they stand in line protocol
     page INTEGER NOT NULL,
     measurement TEXT NOT NULL,
     tags TEXT NOT NULL,         -- a JSON object
     UNIQUE (device, key, page)
   ) STRICT;
   CREATE TABLE metric (
     series INTEGER NOT NULL REFERENCES series (id),
     slot INTEGER NOT NULL,
     field TEXT NOT NULL,        -- as it stands in line protocol
     name TEXT NOT NULL,         -- as the API calls it
     PRIMARY KEY (series, slot)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX metric_by_name ON metric (name, series);
   CREATE TABLE points (
     series INTEGER NOT NULL,
     time INTEGER NOT NULL,      -- ns since the epoch
     ${slotColumns.map((column) => `${column} ANY`).join(", ")},
     PRIMARY KEY (series, time)
   ) STRICT, WITHOUT ROWID;`,
];

/** The version that {@linkcode migrate} leaves behind. */
export const schemaVersion = migrations.length;

export const storeKind: FileKind = {
  version: schemaVersion,
  holds: "SELECT series, time, v0 FROM points",
};

/**
 * Brings the file up to the current version, in one transaction. Throws when a newer Sluice, or
 * another program, made it.
 */
export function migrate(database: DatabaseSync): void {
  const found = versionOf(database, storeKind);
  const version = found === "new" ? 0 : found;
  if (version === schemaVersion) return;
  database.exec(
    `BEGIN IMMEDIATE; ${migrations.slice(version).join("\n")} ` +
      `PRAGMA user_version = ${schemaVersion}; COMMIT;`,
  );
}
