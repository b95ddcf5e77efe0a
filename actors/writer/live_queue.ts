/**
 * Committed records that wait in memory for the live lane. Bounded in bytes: what does not fit is
 * read again from the disk later. Once it overflowed it takes nothing until half of it is free, so
 * that what goes to the disk is one run and not every second record.
 *
 * @module
 */
import type { SpoolRecord } from "../spool/record.ts";
import { batchLength, type BatchLimits, type Waiting } from "./batching.ts";

/** What a record takes beside its bytes (measured: 1.3 KB): many small ones must be bounded, too. */
export const recordOverheadBytes = 1_536;

interface Queued {
  readonly record: SpoolRecord;
  readonly atMs: number;
  readonly count: number;
  readonly bytes: number;
}

/** Oldest first. Monotonic ms. */
export class LiveQueue {
  readonly #bytesMax: number;
  readonly #queue: Queued[] = [];
  #count = 0;
  #lineBytes = 0;
  #urgent = 0;
  /** Bytes of all records taken and not yet {@linkcode LiveQueue.release}d. */
  #heldBytes = 0;
  #overflowed = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Share of its memory in use. */
  get fill(): number {
    return this.#heldBytes / this.#bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** False when there is no room. */
  offer(record: SpoolRecord, nowMs: number): boolean {
    const bytes = record.frame.length + recordOverheadBytes;
    const limit = this.#overflowed ? this.#bytesMax / 2 : this.#bytesMax;
    this.#overflowed = this.#heldBytes > 0 && this.#heldBytes + bytes > limit;
    if (this.#overflowed) return false;
    this.#heldBytes += bytes;
    this.#queue.push({ record, atMs: nowMs, count: record.count, bytes: record.lines.length });
    this.#count += record.count;
    this.#lineBytes += record.lines.length;
    if (record.stored.length > 0) this.#urgent++;
    return true;
  }

  waiting(nowMs: number): Waiting {
    const [oldest] = this.#queue;
    return {
      count: this.#count,
      bytes: this.#lineBytes,
      ageMs: oldest === undefined ? 0 : nowMs - oldest.atMs,
      urgent: this.#urgent > 0,
    };
  }

  /** Takes out the records of one batch; they are held until released. */
  take(limits: BatchLimits): SpoolRecord[] {
    const taken = this.#queue.splice(0, batchLength(this.#queue, limits));
    for (const { record, count, bytes } of taken) {
      this.#count -= count;
      this.#lineBytes -= bytes;
      if (record.stored.length > 0) this.#urgent--;
    }
    return taken.map(({ record }) => record);
  }

  /** Gives up all that waits: these records are not held any more. */
  clear(): SpoolRecord[] {
    const records = this.#queue.splice(0).map(({ record }) => record);
    for (const record of records) this.release(record);
    this.#count = this.#lineBytes = this.#urgent = 0;
    return records;
  }

  /** A record that was taken is through. */
  release(record: SpoolRecord): void {
    this.#heldBytes -= record.frame.length + recordOverheadBytes;
  }
}
