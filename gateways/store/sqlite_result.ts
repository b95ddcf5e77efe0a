/**
 * What an error of SQLite means for the one who wanted to write.
 *
 * @module
 */
import type { SinkResult } from "../../actors/sink.ts";
import { messageOf } from "../../runtime/message_of.ts";
import { isDamage, resultCode } from "../sqlite/result_code.ts";

/** Result codes of SQLite. */
const busy = 5, locked = 6, readOnly = 8, inputOutput = 10, full = 13, cannotOpen = 14;

/** What to do about a damaged file. */
export const mends =
  "Stop Sluice, put another copy of the file in its place or move it away, and start " +
  "again: what is in the spool is written then";

/**
 * A full disk, an input/output error or a lock passes: retry. A file that is damaged, is no
 * database or may not be written needs a person: misconfigured.
 */
export function sqliteResult(cause: unknown): SinkResult {
  const message = messageOf(cause);
  const code = resultCode(cause);
  const reason = `the embedded store: ${message}`;
  if (isDamage(cause)) {
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
