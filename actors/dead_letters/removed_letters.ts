/**
 * Which letters of the segments on the disk were removed.
 *
 * @module
 */
import type { Segment } from "../segment_log/segment.ts";
import { SequenceRanges } from "../segment_log/sequence_ranges.ts";
import type { LetterId } from "./letter_id.ts";

/** Of one segment, and how many. */
interface Removed {
  readonly segment: Segment;
  readonly items: SequenceRanges;
  count: number;
}

/** See the module. */
export class RemovedLetters {
  /** Oldest first; the log's own. */
  readonly #segments: readonly Segment[];
  /** By number of the segment. */
  readonly #removed = new Map<number, Removed>();

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  /** The places in a segment. */
  in({ number }: Segment): SequenceRanges | undefined {
    return this.#removed.get(number)?.items;
  }

  /** How many letters of a segment were not. */
  left({ number, items }: Segment): number {
    return items - (this.#removed.get(number)?.count ?? 0);
  }

  /** A letter that is gone already, or never was, is ignored. */
  add({ segment: number, item }: LetterId): void {
    const removed = this.#removed.get(number) ?? this.#begin(number);
    if (removed === undefined || item >= removed.segment.items || removed.items.has(item)) return;
    removed.items.add(item);
    removed.count++;
  }

  /** The segment is gone. */
  forget({ number }: Segment): void {
    this.#removed.delete(number);
  }

  #begin(number: number): Removed | undefined {
    const [oldest] = this.#segments;
    if (oldest === undefined || number < oldest.number) return undefined;
    const segment = this.#segments.find((candidate) => candidate.number === number);
    if (segment === undefined) return undefined;
    const removed = { segment, items: new SequenceRanges(), count: 0 };
    this.#removed.set(number, removed);
    return removed;
  }
}
