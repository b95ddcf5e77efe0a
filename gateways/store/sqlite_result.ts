/**
 * What an error of SQLite means for the one who wanted to write.
 *
 * @module
 */
import type { SinkResult } from "../../actors/sink.ts";

/** Result codes, https://sqlite.org/rescode.html. The low byte of the extended code. */
const busy = 5, locked = 6, readOnly = 8, inputOutput = 10, corrupt = 11, full = 13;
const cannotOpen = 14, notADatabase = 26;

const mends = "Stop Sluice, put another copy of the file in its place or move it away, and start " +
  "again: what is in the spool is written then";

/**
 * A full disk, an input/output error or a lock passes: retry. A file that is damaged, is no
 * database or may not be written needs a person: misconfigured.
 */
export function sqliteResult(cause: unknown): SinkResult {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = resultCode(cause);
  const reason = `the embedded store: ${message}`;
  if (code === corrupt || code === notADatabase) {
    return { kind: "misconfigured", reason: `${reason}. ${mends}` };
  }
  return code === readOnly || code === cannotOpen
    ? { kind: "misconfigured", reason }
    : { kind: "retry", reason };
}

/** Whether an error of opening a file may have passed at the next try. */
export function mayPass(cause: unknown): boolean {
  const code = resultCode(cause);
  return code === busy || code === locked || code === inputOutput || code === full;
}

function resultCode(cause: unknown): number | undefined {
  return cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number"
    ? cause.errcode & 0xff
    : undefined;
}
