/**
 * The dead letters of a shard on disk: bounded in bytes, listable, and removed one by one when they
 * were taken again. Letters are durable with the same commit as the readings beside them.
 *
 * @module
 */
import { isMissing } from "../segment_log/is_missing.ts";
import type { Segment } from "../segment_log/segment.ts";
import { type RecoveryReport, SegmentLog } from "../segment_log/segment_log.ts";
import type { CommitPart } from "../spool/spool_options.ts";
import { type DeadLetterOptions, segmentBytesOf } from "./dead_letter_options.ts";
import { encodeLetter, frameLetters, type Letter, lettersKind, readLetters } from "./letter.ts";
import {
  formatLetterId,
  frameRemovals,
  isAfter,
  type LetterId,
  parseLetterId,
  readRemovals,
  removalsKind,
} from "./letter_id.ts";
import { RemovedLetters } from "./removed_letters.ts";

/** A letter as it is listed. */
export interface StoredLetter extends Letter {
  readonly id: string;
}

/** Which letters: after one, and of one reason only. */
export interface LetterFilter {
  readonly after?: string;
  readonly reason?: string;
}

/** What a listing holds at most, but for a single letter that is larger. */
export const pageBytesMax = 512 * 1024;

const bytesOf = ({ payload, topic, detail }: Letter): number =>
  payload.length + topic.length + detail.length;

/** See the module. */
export class DeadLetterLog implements CommitPart {
  readonly #options: DeadLetterOptions;
  readonly #log: SegmentLog;
  readonly #removed: RemovedLetters;
  #letters: Uint8Array[] = [];
  #removals: LetterId[] = [];
  /** On their way to the disk; kept until they are there. */
  #sealed: { frame: Uint8Array<ArrayBuffer>; kind: number; items: number }[] = [];
  /** Cannot be deleted, which was told. */
  #stuck: Segment | undefined;

  private constructor(options: DeadLetterOptions, log: SegmentLog) {
    this.#options = options;
    this.#log = log;
    this.#removed = new RemovedLetters(log.segments);
  }

  /** Opens the directory. Rejects when it cannot be used. */
  static async open(
    options: DeadLetterOptions,
  ): Promise<{ log: DeadLetterLog; report: RecoveryReport }> {
    const removals: LetterId[] = [];
    const segmentBytes = segmentBytesOf(options);
    const { log, report } = await SegmentLog.open({ ...options, segmentBytes }, (frame) => {
      if (frame.kind === removalsKind) removals.push(...readRemovals(frame.bytes));
    });
    const letters = new DeadLetterLog(options, log);
    for (const id of removals) letters.#removed.add(id);
    if (report.lostItems > 0) options.dropped(report.lostItems);
    return { log: letters, report };
  }

  /** Letters on the disk that were not removed. */
  get count(): number {
    return this.#log.segments.reduce((sum, segment) => sum + this.#removed.left(segment), 0);
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  /** Takes a letter in; it is durable with the next commit. The payload is copied. */
  add(letter: Letter): void {
    this.#letters.push(encodeLetter(letter));
    this.#options.added?.(letter);
  }

  /** Takes in letters that another log held. After a rejection the first of them may be in it. */
  async adopt(letters: readonly Letter[]): Promise<void> {
    const waiting = letters.map(encodeLetter);
    while (waiting.length > 0) {
      let bytes = 0; // No record takes more of the bound than a segment is to.
      const over = waiting.findIndex((one) =>
        (bytes += one.length) > segmentBytesOf(this.#options)
      );
      const some = waiting.splice(0, over < 0 ? waiting.length : Math.max(1, over));
      const frame = frameLetters(some);
      this.#makeRoom(frame.length);
      await this.#log.commit(frame, lettersKind, some.length);
    }
  }

  /**
   * Letters whose new fate is durable: they are listed no more, and removed with the next commit.
   * Names of letters that are gone are ignored.
   */
  remove(ids: readonly string[]): void {
    for (const text of ids) {
      const id = parseLetterId(text);
      if (id === undefined) continue;
      this.#removed.add(id);
      this.#removals.push(id);
    }
  }

  get dirty(): boolean {
    return this.#letters.length > 0 || this.#removals.length > 0 || this.#sealed.length > 0;
  }

  async commit(): Promise<void> {
    if (this.#letters.length > 0) {
      const items = this.#letters.length;
      this.#sealed.push({ frame: frameLetters(this.#letters), kind: lettersKind, items });
      this.#letters = [];
    }
    if (this.#removals.length > 0) {
      this.#sealed.push({ frame: frameRemovals(this.#removals), kind: removalsKind, items: 0 });
      this.#removals = [];
    }
    for (let next; (next = this.#sealed[0]) !== undefined;) {
      this.#makeRoom(next.frame.length);
      await this.#log.commit(next.frame, next.kind, next.items);
      this.#sealed.shift();
    }
  }

  /** Deletes what holds no letter any more; the oldest first, since removals lie behind letters. */
  committed(): void {
    for (;;) {
      const [oldest] = this.#log.segments;
      if (oldest === undefined || oldest === this.#log.active || this.#removed.left(oldest) > 0) {
        return;
      }
      try {
        this.#drop(oldest);
      } catch (cause) { // It is tried with each commit, and told of once.
        if (this.#stuck !== oldest) this.#options.trouble?.(`remove ${oldest.path}`, cause);
        this.#stuck = oldest;
        return;
      }
    }
  }

  /**
   * Up to `limit` letters in the order they came, fewer when they are large: {@linkcode pageBytesMax}.
   * `next`: there may be more after it.
   */
  async list(
    limit: number,
    filter: LetterFilter = {},
  ): Promise<{ letters: StoredLetter[]; next?: string }> {
    const after = filter.after === undefined ? undefined : parseLetterId(filter.after);
    const letters: StoredLetter[] = [];
    let bytes = 0;
    for (const segment of [...this.#log.segments]) {
      const passed = after !== undefined && segment.number < after.segment;
      if (passed || !this.#log.segments.includes(segment)) continue;
      for await (const letter of this.#lettersOf(segment, after)) {
        if (filter.reason !== undefined && letter.reason !== filter.reason) continue;
        bytes += bytesOf(letter);
        const full = letters.length === limit || (letters.length > 0 && bytes > pageBytesMax);
        if (full) return { letters, next: letters.at(-1)!.id };
        letters.push(letter);
      }
    }
    return { letters };
  }

  /** At most `limit` letters, the newest first; fewer when they are large. */
  async newest(limit: number): Promise<StoredLetter[]> {
    const found: StoredLetter[] = [];
    let bytes = 0;
    for (const segment of this.#log.segments.toReversed()) {
      const wanted = limit - found.length;
      if (wanted === 0 || !this.#log.segments.includes(segment)) break;
      if (this.#removed.left(segment) === 0) continue;
      // Those that were removed may all be among its last ones.
      const skipped = this.#removed.left(segment) - wanted;
      const after = skipped > 0 ? { segment: segment.number, item: skipped - 1 } : undefined;
      const tail: StoredLetter[] = [];
      let isLarge = false;
      for await (const letter of this.#lettersOf(segment, after)) {
        tail.push(letter);
        bytes += bytesOf(letter);
        while (tail.length > wanted || (bytes > pageBytesMax && tail.length > 1)) {
          isLarge ||= tail.length <= wanted;
          bytes -= bytesOf(tail.shift()!);
        }
      }
      if (bytes > pageBytesMax && found.length > 0) break;
      found.push(...tail.reverse());
      if (isLarge) break;
    }
    return found;
  }

  /** Letters by name, without those that are gone. */
  async get(ids: readonly string[]): Promise<StoredLetter[]> {
    const wanted = new Set(ids);
    const segments = new Set(ids.map((id) => parseLetterId(id)?.segment));
    const letters: StoredLetter[] = [];
    for (const segment of this.#log.segments.filter(({ number }) => segments.has(number))) {
      for await (const letter of this.#lettersOf(segment)) {
        if (wanted.has(letter.id)) letters.push(letter);
      }
    }
    return letters;
  }

  close(): void {
    this.#log.close();
  }

  async *#lettersOf(segment: Segment, after?: LetterId): AsyncGenerator<StoredLetter> {
    const removed = this.#removed.in(segment);
    const opened = this.#open(segment);
    if (opened === undefined) return;
    const { file, reader } = opened;
    try {
      for (let frame; (frame = await reader.next()) !== undefined;) {
        if (frame.kind !== lettersKind) continue;
        let item = frame.before;
        const end = item + frame.count;
        // Whole records that are gone or passed need not be taken apart.
        const passed = after !== undefined &&
          !isAfter({ segment: segment.number, item: end - 1 }, after);
        if (passed || removed?.covers(item, end)) continue;
        for (const letter of readLetters(frame.bytes, frame.count)) {
          const id = { segment: segment.number, item: item++ };
          if (removed?.has(id.item) || (after !== undefined && !isAfter(id, after))) continue;
          yield { ...letter, id: formatLetterId(id) };
        }
      }
    } finally {
      file.close();
    }
  }

  /** `undefined` when somebody removed it: the letters in it are given up. */
  #open(segment: Segment): ReturnType<SegmentLog["openSegment"]> | undefined {
    try {
      return this.#log.openSegment(segment);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      if (segment !== this.#log.active) this.#giveUp(segment); // Else with the next one, or later.
      return undefined;
    }
  }

  #makeRoom(bytes: number): void {
    while (this.#log.bytes > 0 && this.#log.bytes + bytes > this.#options.bytesMax) {
      this.#giveUp(this.#log.segments[0]!);
    }
  }

  #giveUp(segment: Segment): void {
    const letters = this.#removed.left(segment);
    this.#drop(segment);
    if (letters > 0) this.#options.dropped(letters);
  }

  #drop(segment: Segment): void {
    this.#log.remove(segment);
    this.#removed.forget(segment);
  }
}
