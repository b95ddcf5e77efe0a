/**
 * What a kept session's own QoS 2 message is known by, and where it went among those who share a
 * subscription, in the file.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { parseSharedOut, type SharedOut, type ShareTurn } from "../pubsub/shared_out.ts";

/**
 * A message: the one of number `n` that a session sent in the connection of that epoch, with the
 * identifier that finds it.
 */
export interface Origin {
  readonly session: number;
  readonly packetId: number;
  readonly epoch: number;
  readonly n: number;
}

/**
 * Where it is for a member of the shared subscription now, for the `turn`th time; `undefined`: owed
 * no more.
 */
export interface ShareMove extends Origin, ShareTurn {
  readonly to: number | undefined;
}

/** The epoch of those from before a restart of the process that somebody who shares is still to have. */
export const beforeRestart = 0;
/** To be run when a process starts. */
export const restartedSql =
  `UPDATE incoming SET epoch = CASE WHEN shares <> '[]' THEN ${beforeRestart} END`;

export const markOf = ({ session, packetId, epoch, n }: Origin): string =>
  `${session}.${packetId}.${epoch}.${n}`;

/** What {@linkcode markOf} made a mark of. */
export function originOf(mark: string): Origin {
  const [session = NaN, packetId = NaN, epoch = NaN, n = NaN] = mark.split(".").map(Number);
  return { session, packetId, epoch, n };
}

/** Where it is now among those who share. */
export function sharesOf(
  prepare: (sql: string) => StatementSync,
  { session, packetId, epoch, n }: Origin,
): SharedOut[] {
  const found = prepare(
    "SELECT shares FROM incoming WHERE session = ? AND packet_id = ? AND epoch = ? AND n = ?",
  ).get(session, packetId, epoch, n);
  return parseSharedOut(found?.["shares"]);
}

/** Writes it down, as long as the message may be sent on again, and to this subscription. */
export function moveShare(
  prepare: (sql: string) => StatementSync,
  { name, turn, to, ...origin }: ShareMove,
): void {
  const shares = sharesOf(prepare, origin);
  const at = shares.findIndex((share) => share[0] === name && share[2] <= turn);
  if (at < 0) return;
  if (to === undefined) shares.splice(at, 1);
  else shares[at] = [name, to, turn];
  prepare("UPDATE incoming SET shares = ? WHERE session = ? AND packet_id = ?")
    .run(JSON.stringify(shares), origin.session, origin.packetId);
}
