/**
 * What waits for a kept session when it ends, of shared subscriptions: another member is to have it
 * (MQTT 5 §4.8.2).
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import type { Unfinished } from "../pubsub/shared_hold.ts";
import { readRow, releasedFlag } from "./kept_row.ts";

/** What waited for a session that has ended. */
export interface GivenUp {
  readonly count: number;
  /** Of these, what others are to have. */
  readonly left: readonly Unfinished[];
}

/** So much of one session's is read, the oldest first. */
const bytesMax = 1_048_576;
/** At a time, so that of a long queue not all is read. */
const pageRows = 32;

/**
 * With QoS 1, and with QoS 2 what its client was not sent [MQTT-4.8.2-5]: while that is connected,
 * perhaps all was.
 */
export function leftOf(prepare: (sql: string) => StatementSync, session: number): Unfinished[] {
  const { holder, sent } = prepare("SELECT holder, sent FROM session WHERE id = ?").get(session) ??
    {};
  const unsent = holder === null ? Number(sent) : Number.MAX_SAFE_INTEGER;
  const read = prepare(
    `SELECT n, flags, ids, bytes, share, COALESCE(queue.body, message.body) AS body FROM queue
     LEFT JOIN message ON message.id = queue.message
     WHERE session = ? AND n > ? AND share IS NOT NULL AND flags & ${releasedFlag} = 0
     AND (flags & 3 = 1 OR n >= ?) ORDER BY n LIMIT ${pageRows}`,
  );
  const left: Unfinished[] = [];
  let [after, bytes] = [-1, 0];
  for (;;) {
    const rows = read.all(session, after, unsent);
    for (const row of rows) {
      after = Number(row["n"]);
      bytes += Number(row["bytes"]);
      if (bytes > bytesMax) return left;
      const { message } = readRow(row);
      if (typeof message === "string") continue; // It cannot be read.
      left.push({ message, share: { name: String(row["share"]), mark: undefined, turn: 0 } });
    }
    if (rows.length < pageRows) return left;
  }
}
