/**
 * What an error of SQLite means for the one who wanted to write.
 *
 * @module
 */
import type { SinkResult } from "../../actors/sink.ts";

/** Result codes, https://sqlite.org/rescode.html. The low byte of the extended code. */
const readOnly = 8, corrupt = 11, cannotOpen = 14, notADatabase = 26;

/**
 * A full disk, an input/output error or a lock passes: retry. A file that is damaged, is no
 * database or may not be written needs a person: misconfigured.
 */
export function sqliteResult(cause: unknown): SinkResult {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = resultCode(cause);
  const reason = `the embedded store: ${message}`;
  return code === readOnly || code === corrupt || code === cannotOpen || code === notADatabase
    ? { kind: "misconfigured", reason }
    : { kind: "retry", reason };
}

function resultCode(cause: unknown): number | undefined {
  return cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number"
    ? cause.errcode & 0xff
    : undefined;
}
