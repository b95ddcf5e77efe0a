/**
 * What SQLite says went wrong, https://sqlite.org/rescode.html.
 *
 * @module
 */

/** `SQLITE_ERROR`, `SQLITE_CORRUPT`, `SQLITE_FULL` and `SQLITE_NOTADB`. */
const statement = 1, corrupt = 11, full = 13, notADatabase = 26;

/** What SQLite says where the fault is not the statement's. `exec` of Deno 2.9.6 gives no code. */
const codesOfWords: Readonly<Record<string, number>> = {
  "database is locked": 5,
  "database table is locked": 6,
  "out of memory": 7,
  "attempt to write a readonly database": 8,
  "disk I/O error": 10,
  "database disk image is malformed": corrupt,
  "database or disk is full": full,
  "unable to open database file": 14,
  "locking protocol": 15,
  "file is not a database": notADatabase,
};

/** The low byte of the extended code; `undefined` for what is no error of SQLite, or is of no known code. */
export function resultCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ("errcode" in cause && typeof cause.errcode === "number") return cause.errcode & 0xff;
  const isSqlite = "code" in cause && cause.code === "ERR_SQLITE_ERROR";
  return isSqlite && Object.hasOwn(codesOfWords, cause.message)
    ? codesOfWords[cause.message]
    : undefined;
}

/** The file is damaged, or no database: not a disk that is full, or a file we may not read. */
export function isDamage(cause: unknown): cause is Error {
  const code = resultCode(cause);
  return code === corrupt || code === notADatabase;
}

/** Mistakes of the one who asks: constraint, mismatch, misuse, range. */
const ofCaller: readonly (number | undefined)[] = [statement, 19, 20, 21, 25];

/** The file, its disk or who else uses it is at fault, and not what was asked of it. */
export function isFileFault(cause: unknown): cause is Error {
  const code = resultCode(cause);
  return code !== undefined && !ofCaller.includes(code);
}

/** There is no room on the disk. */
export const isFull = (cause: unknown): boolean => resultCode(cause) === full;

/** A statement does not compile: what it names is not there. */
export function isUnknownName(cause: unknown): boolean {
  return resultCode(cause) === statement;
}
