/**
 * Opens the file of the embedded store with the settings that its promises need.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../runtime/message_of.ts";
import { versionOf } from "../sqlite/file_kind.ts";
import { migrate, storeKind } from "./schema.ts";
import { mayPass } from "./sqlite_result.ts";
import { logBytesMax } from "./store_room.ts";

/** The file cannot be the store: it is damaged, of another program, or of a newer Sluice. */
export class StoreFileError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `Cannot use the embedded store ${path}: ${
        messageOf(cause)
      }. Put another copy in its place, ` +
        `move it away to begin with an empty one, or choose another data directory with ` +
        `SLUICE_DATA_DIR; what is in the spool is not lost`,
      { cause },
    );
    this.name = "StoreFileError";
  }
}

/** The file cannot be used now: the disk is full or fails, or somebody else holds it. */
export class StoreAwayError extends Error {
  constructor(path: string, cause: unknown) {
    super(`Cannot open the embedded store ${path} now: ${messageOf(cause)}`, { cause });
    this.name = "StoreAwayError";
  }
}

/** What SQLite may keep of the file in memory: more than this brings no more. */
export const writeCacheBytesMax = 64 * 1024 * 1024;
export const readCacheBytesMax = 16 * 1024 * 1024;

/**
 * Opens it for writing, creates or migrates it. A commit is on the disk when it returns: WAL with
 * `synchronous = FULL` syncs at each one.
 *
 * @throws {StoreFileError} with what SQLite says, or for a schema that is not ours, or too new.
 * @throws {StoreAwayError} for what may have passed at the next try.
 */
export function openForWriting(path: string, cacheBytes = writeCacheBytesMax): DatabaseSync {
  try {
    return opened(path, cacheBytes);
  } catch (cause) {
    throw mayPass(cause) ? new StoreAwayError(path, cause) : new StoreFileError(path, cause);
  }
}

function opened(path: string, cacheBytes: number): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 1000");
    versionOf(database, storeKind); // Before the journal of another's file is made WAL.
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${Math.floor(cacheBytes / 1024)};
      PRAGMA wal_autocheckpoint = 8192;   -- pages: 32 MiB, so that hot pages are copied seldom
      PRAGMA journal_size_limit = ${logBytesMax};
    `);
    migrate(database);
    // Both ends of what is largest: damage of the whole file is told now, and not by the first write.
    database.exec("SELECT 1 FROM points LIMIT 1");
    database.exec("SELECT 1 FROM points ORDER BY series DESC, time DESC LIMIT 1");
  } catch (cause) {
    database.close();
    throw cause;
  }
  return database;
}

/** Opens it for queries. The file must be there already. */
export function openForReading(path: string, cacheBytes = readCacheBytesMax): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  const cacheKib = Math.floor(cacheBytes / 1024);
  database.exec(`PRAGMA busy_timeout = 1000; PRAGMA cache_size = -${cacheKib};`);
  return database;
}
