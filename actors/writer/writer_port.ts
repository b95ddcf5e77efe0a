/**
 * The surroundings of the writer: what it asks for, and what it tells.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import type { Completion } from "../spool/commit_group.ts";
import type { SpoolRecord } from "../spool/record.ts";
import type { BatchLimits } from "./batching.ts";
import type { RefusalWord } from "./delivery.ts";
import type { Piece } from "./piece.ts";
import type { ReplayProgress } from "./replay.ts";

/** In the order in which they are served. */
export const lanes = ["live", "sift", "replay"] as const;
export type LaneName = typeof lanes[number];

/** What happens, for counters and the log. */
export interface WriterEvents {
  /** The store took readings for the first time. */
  stored(readings: number): void;
  /** The store refuses readings for good; they are durable dead letters. */
  deadLettered(reason: RefusalWord, readings: number): void;
  /** The store took readings it had taken before; it refused some it had taken before. */
  rewritten(readings: number): void;
  rewriteRefused(readings: number): void;
  /** The backlog cannot be read for now; it is tried again. */
  backlogUnreadable(reason: string): void;
  /** One write ended, whatever the answer. */
  wrote(lane: LaneName, tookMs: number, bytes: number): void;
  /** Once each: the store went away, and is back. */
  storeAway(reason: string): void;
  storeBack(awayMs: number): void;
  /** It is still away, for another reason than was told last. */
  storeAwayFor(reason: string): void;
  /** Every few seconds of a replay, and at its end. */
  replaying(progress: ReplayProgress): void;
}

/** What the writer asks of its surroundings. */
export interface WriterPort {
  /** Ends with {@linkcode Writer.written}. */
  write(lane: LaneName, pieces: readonly Piece[]): void;
  /** Asks whether the store is there; ends with {@linkcode Writer.probed}. */
  probe(): void;
  /** Reads from the backlog; ends with {@linkcode Writer.backlog}. */
  read(bytesMax: number): void;
  /** Records wait on the disk. */
  hasBacklog(): boolean;
  /** Readings that wait on the disk, for the progress of a replay. */
  remaining(): number;
  /** Calls {@linkcode Writer.wake} after so many ms; a later call replaces an earlier one. */
  wakeIn(delayMs: number): void;
  /** Keeps a line that the store refuses; durable with the next commit. */
  bury(line: Piece, word: RefusalWord, detail: string): void;
  /** Completed once all that was buried is durable. */
  onDurable(completion: Completion): void;
  /** The record is through. */
  delivered(record: SpoolRecord): void;
  /** There is no room for the record: it stays on the disk. */
  spill(record: SpoolRecord): void;
  storeSeen(): void;
  storeDoubted(): void;
}

export interface WriterOptions {
  readonly port: WriterPort;
  readonly events: WriterEvents;
  readonly clock: Clock;
  /** [0, 1), for jitter. */
  readonly random: () => number;
  readonly batch: BatchLimits;
  /** Bytes of committed records held in memory for the live lane. */
  readonly liveBytesMax: number;
  /** For how long after the last write the store is asked now and then whether it runs on; 0: never. */
  readonly keepMs: number;
}
