/**
 * What SQLite says went wrong, https://sqlite.org/rescode.html.
 *
 * @module
 */

/** `SQLITE_ERROR`, `SQLITE_CORRUPT` and `SQLITE_NOTADB`. */
const statement = 1, corrupt = 11, notADatabase = 26;

/** The low byte of the extended code; `undefined` for what is no error of SQLite. */
export function resultCode(cause: unknown): number | undefined {
  return cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number"
    ? cause.errcode & 0xff
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

/** A statement does not compile: what it names is not there. */
export function isUnknownName(cause: unknown): boolean {
  return resultCode(cause) === statement;
}
