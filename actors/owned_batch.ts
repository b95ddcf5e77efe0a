/**
 * A batch at its owner: what has to happen before its sender may acknowledge it, and which of its
 * readings were turned away.
 *
 * @module
 */
import type { RejectedReading } from "./lane.ts";
import type { Reading, ReadingBatch, TopicEntry } from "./reading.ts";
import {
  type AckLevel,
  flags,
  originHash,
  packetId,
  payloadEnd,
  type ReadingsFrame,
  topicEnd,
} from "./readings_frame.ts";
import type { Completion } from "./spool/commit_group.ts";

/** Tells the sender that a batch is settled. */
export type SettleBatch = (batch: OwnedBatch) => void;

/** See the module. */
export class OwnedBatch implements ReadingBatch, Completion {
  readonly data: Uint8Array;
  readonly arrivalMs: number;
  /** Known when the owner books it. */
  seenMs = 0;
  /** Readings whose fate is not known yet. */
  pending: number;
  /** Commits, or deliveries to the store, that its acknowledgement waits for. */
  waits = 0;
  /** The last commit group that holds one of its readings. */
  groupNo = 0;
  readonly rejected: RejectedReading[] = [];
  /** Points of each reading, where they are counted. */
  points: number[] | undefined;

  constructor(
    readonly from: number,
    readonly batchId: number,
    readonly ackLevel: AckLevel,
    readonly frame: ReadingsFrame,
    readonly settle: SettleBatch,
    /** What their topics mean, when it comes from this shard. */
    readonly entries?: readonly TopicEntry[],
  ) {
    this.data = frame.data;
    this.arrivalMs = frame.arrivalMs;
    this.pending = frame.count;
  }

  complete(): void {
    if (--this.waits === 0 && this.pending === 0) this.settle(this);
  }
}

/** One reading of a batch, as it is told to its device. */
export class OwnedReading implements Reading {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly packetId: number;
  readonly originHash: number;

  constructor(readonly batch: OwnedBatch, readonly index: number, readonly entry: TopicEntry) {
    const { frame } = batch;
    this.start = topicEnd(frame, index);
    this.end = payloadEnd(frame, index);
    this.flags = flags(frame, index);
    this.packetId = packetId(frame, index);
    this.originHash = originHash(frame, index);
  }
}
