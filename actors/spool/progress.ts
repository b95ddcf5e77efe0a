/**
 * Keeps the checkpoint of a spool up to date: notes about once a second where in the segments a
 * record lies, so that a restart begins close to the first record that is still needed. Bounded
 * however long an outage lasts.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import type { Segment } from "../segment_log/segment.ts";
import { type Checkpoint, isDone, writeCheckpoint } from "./checkpoint.ts";

const markIntervalMs = 1_000;
const marksMax = 128;

interface Mark {
  readonly sequence: number;
  /** Where this record begins. */
  readonly at: Checkpoint;
}

/** See the module. */
export class Progress {
  readonly #files: Files;
  readonly #directory: string;
  readonly #segments: readonly Segment[];
  #marks: Mark[] = [];
  #markedMs = -Infinity;
  #saved: Checkpoint;

  /** `segments` is the log's own list. */
  constructor(
    files: Files,
    directory: string,
    segments: readonly Segment[],
    saved: Checkpoint,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#segments = segments;
    this.#saved = saved;
  }

  /** A record of `items` readings was appended to the last segment. Monotonic ms. */
  note(sequence: number, items: number, nowMs: number): void {
    if (nowMs - this.#markedMs < markIntervalMs) return;
    this.#markedMs = nowMs;
    const segment = this.#segments.at(-1)!;
    this.#marks.push({ sequence, at: { segment: segment.number, items: segment.items - items } });
    if (this.#marks.length > marksMax) this.#marks = this.#marks.filter((_, i) => i % 2 === 0);
  }

  /** Everything before `needed` may be forgotten: saves that, if it is news. Throws what a disk would. */
  save(needed: number): void {
    const at = this.#positionOf(needed);
    if (at === undefined || isDone(this.#saved, at.segment, at.items)) return;
    writeCheckpoint(this.#files, this.#directory, at);
    this.#saved = at;
  }

  /** The last place known to lie at or before a record. */
  #positionOf(needed: number): Checkpoint | undefined {
    const segment = this.#segments.find(({ endSequence }) => endSequence > needed);
    if (segment === undefined) {
      const last = this.#segments.at(-1);
      return last && { segment: last.number, items: last.items };
    }
    const last = this.#marks.findLastIndex(({ sequence }) => sequence <= needed);
    if (last > 0) this.#marks.splice(0, last);
    const mark = last < 0 ? undefined : this.#marks[0]!.at;
    return mark?.segment === segment.number ? mark : { segment: segment.number, items: 0 };
  }
}
