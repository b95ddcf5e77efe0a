/**
 * What a kept session's own QoS 2 message is known by, and where it went among those who share a
 * subscription, in the file.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { parseSharedOut, type SharedOut } from "../pubsub/shared_out.ts";

/** A message: the one of number `n` that a session sent in the connection of that epoch. */
export interface Origin {
  readonly session: number;
  readonly epoch: number;
  readonly n: number;
}

/** Where it is for a member of the shared subscription `name` now; `undefined`: owed no more. */
export interface ShareMove extends Origin {
  readonly name: string;
  readonly to: number | undefined;
}

export const markOf = ({ session, epoch, n }: Origin): string => `${session}.${epoch}.${n}`;

/** What {@linkcode markOf} made a mark of. */
export function originOf(mark: string): Origin {
  const [session = NaN, epoch = NaN, n = NaN] = mark.split(".").map(Number);
  return { session, epoch, n };
}

/** Writes it down, as long as the message may be sent on again, and to this subscription. */
export function moveShare(
  prepare: (sql: string) => StatementSync,
  { session, epoch, n, name, to }: ShareMove,
): void {
  const found = prepare(
    "SELECT packet_id, shares FROM incoming WHERE session = ? AND epoch = ? AND n = ?",
  ).get(session, epoch, n);
  const shares = parseSharedOut(found?.["shares"]);
  const moved = shares.flatMap((share): SharedOut[] => {
    if (share[0] !== name) return [share];
    return to === undefined ? [] : [[name, to]];
  });
  if (shares.length === 0) return;
  prepare("UPDATE incoming SET shares = ? WHERE session = ? AND packet_id = ?")
    .run(JSON.stringify(moved), session, Number(found?.["packet_id"]));
}
