/**
 * What becomes of mail when an incarnation ends, or the actor itself: what the next one gets, and
 * what is dropped, each piece to be accounted for by the caller.
 *
 * @module
 */
import type { LaneItem } from "./lane.ts";
import type { Mailbox } from "./mailbox.ts";

/** Takes a message that nobody will handle. */
type Drop = (message: unknown) => void;

/** Empties the mailbox. */
export function dropAll(mailbox: Mailbox, drop: Drop): void {
  for (let item = mailbox.takeFirst(); item !== undefined; item = mailbox.takeFirst()) {
    dropItem(item, drop);
  }
  while (mailbox.count > 0) drop(mailbox.drop());
}

/** Leaves what the next incarnation may handle: all mail, or only what is to be tried again. */
export function keepForNext(mailbox: Mailbox, keep: "all" | "redelivered", drop: Drop): void {
  const kept: LaneItem[] = [];
  for (let item = mailbox.takeFirst(); item !== undefined; item = mailbox.takeFirst()) {
    const redelivered = item.kind === "mail" && item.crashes > 0;
    if (redelivered || (keep === "all" && item.kind !== "signal")) kept.push(item);
    else dropItem(item, drop);
  }
  if (keep === "redelivered") dropAll(mailbox, drop);
  mailbox.putFirst(kept);
}

/** Signals and timers were meant for the incarnation that is gone; they carry no one's mail. */
export function dropItem(item: LaneItem, drop: Drop): void {
  if (item.kind === "mail") drop(item.message);
  else if (item.kind === "result") drop(item.value);
}
