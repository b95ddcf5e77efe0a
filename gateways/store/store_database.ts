/**
 * Opens the file of the embedded store with the settings that its promises need.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { migrate } from "./schema.ts";

/** The file cannot be the store: it is damaged, of another program, or of a newer Sluice. */
export class StoreFileError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `Cannot use the embedded store ${path}: ${cause instanceof Error ? cause.message : cause}. ` +
        `Put another copy in its place, move it away to begin with an empty one, or choose ` +
        `another data directory with SLUICE_DATA_DIR`,
      { cause },
    );
    this.name = "StoreFileError";
  }
}

/**
 * Opens it for writing, creates or migrates it. A commit is on the disk when it returns: WAL with
 * `synchronous = FULL` syncs at each one.
 *
 * @throws {StoreFileError} with what SQLite says, or for a schema that is too new.
 */
export function openForWriting(path: string): DatabaseSync {
  try {
    return opened(path);
  } catch (cause) {
    throw new StoreFileError(path, cause);
  }
}

function opened(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA busy_timeout = 1000;
      PRAGMA cache_size = -65536;         -- 64 MiB
      PRAGMA wal_autocheckpoint = 8192;   -- pages: 32 MiB, so that hot pages are copied seldom
      PRAGMA journal_size_limit = 67108864;
    `);
    migrate(database);
  } catch (cause) {
    database.close();
    throw cause;
  }
  return database;
}

/** Opens it for queries. The file must be there already. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -16384;");
  return database;
}
