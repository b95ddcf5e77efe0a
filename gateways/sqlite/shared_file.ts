/**
 * A small SQLite file beside the spool that all shards share.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type FileKind, versionOf } from "./file_kind.ts";

export interface SharedFileOptions {
  readonly kind: FileKind;
  /** How long to wait while somebody else writes, in ms. */
  readonly busyMs: number;
  /** `OFF` where losing the last of it at a power cut does no harm. */
  readonly synchronous: "FULL" | "NORMAL" | "OFF";
  /**
   * Pages of the log before it is written back, 4 KiB each; 64 unless told. It takes its room from
   * the spool, and a full disk must be able to empty it.
   */
  readonly walPages?: number;
  /** Absent: SQLite's own. */
  readonly cacheKib?: number;
  /** Statements that make what is not there yet. */
  readonly schema: string;
}

/** Opens or makes the file. Throws what SQLite throws, and `ForeignFileError`. */
export function openSharedFile(
  file: string,
  { kind, busyMs, synchronous, walPages = 64, cacheKib, schema }: SharedFileOptions,
): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${busyMs}`);
    const isNew = versionOf(database, kind) === "new";
    database.exec(
      `PRAGMA journal_mode = WAL;
       PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${walPages};
       ${cacheKib === undefined ? "" : `PRAGMA cache_size = -${cacheKib};`} ${schema}`,
    );
    // One without a version stays so: a start needs no room on the disk.
    if (isNew) database.exec(`PRAGMA user_version = ${kind.version}`);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}
