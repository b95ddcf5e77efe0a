/**
 * What a SQLite file of the data directory is, told before anything in it is changed: ours, and of a
 * version that is known here. The version is the file's `user_version`.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { isUnknownName } from "./result_code.ts";

/** One of our files. */
export interface FileKind {
  /** The version that this Sluice makes of it. */
  readonly version: number;
  /** A query that can only be compiled where the tables are ours, of whatever version. */
  readonly holds: string;
  /** Earlier ones of ours have no version: theirs is 0. */
  readonly unversioned?: boolean;
}

/** The file is of another program, or of a newer Sluice: it is left as it is. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
}

/** The version of an open file. @throws {ForeignFileError} when it is not for this Sluice. */
export function versionOf(database: DatabaseSync, kind: FileKind): number | "new" {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > kind.version) {
    throw new ForeignFileError(
      `it has schema version ${version} and this Sluice knows up to ${kind.version}, start a ` +
        `newer one`,
    );
  }
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (version === 0 && isEmpty) return "new";
  try {
    if (version > 0 || kind.unversioned === true) {
      database.prepare(kind.holds);
      return version;
    }
  } catch (cause) {
    if (!isUnknownName(cause)) throw cause;
  }
  throw new ForeignFileError("it is of another program");
}

/**
 * Looks at a file before anybody opens it for use. Only what is no fault of the file, or damage, is
 * left to whoever does.
 *
 * @throws {ForeignFileError}
 */
export function checkKind(file: string, kind: FileKind): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    versionOf(database, kind);
  } catch (cause) {
    if (cause instanceof ForeignFileError) throw cause;
  } finally {
    database?.close();
  }
}
