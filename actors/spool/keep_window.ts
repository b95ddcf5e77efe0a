/**
 * What the store has said yes to so lately that it may not have it on disk yet: a store's 204 is
 * not durability (VictoriaMetrics keeps seconds in memory). A record is kept readable until the
 * store was seen to run on for `keepMs` after it; if the store was away meanwhile, what is kept is
 * written again.
 *
 * @module
 */
import { SequenceRanges } from "../segment_log/sequence_ranges.ts";

/** Seen to run: news of a restart that is still on its way may take this long. */
const settleMs = 3_000;
const bucketMs = 1_000;
const bucketsMax = 64;

interface Bucket {
  /** When its first and its last record were stored. */
  readonly fromMs: number;
  lastMs: number;
  readonly sequences: SequenceRanges;
}

/** See the module. Times are monotonic ms. */
export class KeepWindow {
  readonly #keepMs: number;
  /** Oldest first; within one, records of about a second. */
  #buckets: Bucket[] = [];
  /** The store was up then, and no news of a restart came within `settleMs`. */
  #confirmedMs = -Infinity;
  #seenMs = -Infinity;

  /** `keepMs` 0 keeps nothing: for a store whose yes is durable. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  get empty(): boolean {
    return this.#buckets.length === 0;
  }

  intersects(start: number, end: number): boolean {
    return this.#buckets.some(({ sequences }) => sequences.intersects(start, end));
  }

  /** The smallest sequence that is kept. */
  get first(): number | undefined {
    let first: number | undefined;
    for (const { sequences } of this.#buckets) {
      if (first === undefined || sequences.first! < first) first = sequences.first;
    }
    return first;
  }

  /** The store said yes to a record. */
  add(sequence: number, nowMs: number): void {
    if (this.#keepMs === 0) return;
    const last = this.#buckets.at(-1);
    if (last !== undefined && nowMs - last.fromMs < bucketMs) {
      last.sequences.add(sequence);
      last.lastMs = nowMs;
    } else {
      const sequences = new SequenceRanges();
      sequences.add(sequence);
      this.#buckets.push({ fromMs: nowMs, lastMs: nowMs, sequences });
      if (this.#buckets.length > bucketsMax) this.#mergeOldest();
    }
  }

  /** The store answered: lets go of what it has had for long enough. */
  seen(nowMs: number): void {
    if (nowMs - this.#seenMs >= settleMs) {
      this.#confirmedMs = this.#seenMs;
      this.#seenMs = nowMs;
    }
    const horizon = this.#confirmedMs - this.#keepMs;
    let gone = 0;
    while (gone < this.#buckets.length && this.#buckets[gone]!.lastMs <= horizon) gone++;
    if (gone > 0) this.#buckets.splice(0, gone);
  }

  /** The store is, or was, away: it was not seen to run on. */
  doubt(): void {
    this.#confirmedMs = -Infinity;
    this.#seenMs = -Infinity;
  }

  /** Takes out all that is kept, to be written again. */
  take(): SequenceRanges {
    const all = new SequenceRanges();
    for (const { sequences } of this.#buckets) all.addAll(sequences);
    this.#buckets = [];
    return all;
  }

  /** Gives up keeping `[start, end)`. */
  drop(start: number, end: number): void {
    for (const { sequences } of this.#buckets) sequences.remove(start, end);
    this.#buckets = this.#buckets.filter(({ sequences }) => !sequences.empty);
  }

  #mergeOldest(): void {
    const [oldest, next, ...rest] = this.#buckets;
    oldest!.sequences.addAll(next!.sequences);
    oldest!.lastMs = next!.lastMs;
    this.#buckets = [oldest!, ...rest];
  }
}
