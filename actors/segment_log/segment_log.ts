/**
 * An append-only log of framed records over several files. It does the physical half of durability:
 * a commit that failed leaves no trace in what was there before and can be tried again, and a file
 * whose sync failed is never written again, because the page cache may have forgotten what it was
 * given (as PostgreSQL learnt in 2018, "fsyncgate").
 *
 * @module
 */
import type { Files, LogFile } from "./files.ts";
import { stampFrame } from "./frame.ts";
import { FrameReader, type ReadFrame } from "./frame_reader.ts";
import { isMissing } from "./is_missing.ts";
import { parseSegmentName, type Segment, segmentName } from "./segment.ts";

export interface SegmentLogOptions {
  readonly files: Files;
  readonly directory: string;
  /** A segment that holds this much is closed and the next one begun. */
  readonly segmentBytes: number;
  /** Numbers of new segments begin here, or behind those that exist. Default 1. */
  readonly firstNumber?: number;
  /** Wall time, ms. */
  now(): number;
  /** A new 32-bit number each time, for the salt of a segment. */
  random32(): number;
}

/** What recovery found besides valid records. */
export interface RecoveryReport {
  readonly segments: number;
  readonly records: number;
  readonly items: number;
  readonly bytes: number;
  /** Bytes behind the last valid record, cut off. */
  readonly tornBytes: number;
  /** Bytes between valid records that are none, and how many items the numbering says they held. */
  readonly corruptBytes: number;
  readonly lostItems: number;
}

/** The segment that is being written. */
interface Active {
  readonly segment: Segment;
  readonly file: LogFile;
}

/** See the module. One commit at a time; removal and reading may happen meanwhile. */
export class SegmentLog {
  /** Oldest first; the last may be the one being written. */
  readonly segments: Segment[] = [];
  bytes = 0;
  readonly #options: SegmentLogOptions;
  #active: Active | undefined;
  /** What is written now would be found by nobody. */
  #activeMissing = false;
  #nextNumber: number;
  #nextSequence = 0;

  private constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#nextNumber = options.firstNumber ?? 1;
  }

  /**
   * Reads what is in the directory and shows every valid record to `visit`, oldest first; the
   * frame's bytes are valid during the call only. New records go to a new segment.
   */
  static async open(
    options: SegmentLogOptions,
    visit: (frame: ReadFrame, sequence: number, segment: Segment) => void,
  ): Promise<{ log: SegmentLog; report: RecoveryReport }> {
    options.files.makeDirectory(options.directory);
    const log = new SegmentLog(options);
    const total = { records: 0, items: 0, tornBytes: 0, corruptBytes: 0, lostItems: 0 };
    for (const name of options.files.list(options.directory).files) {
      const parsed = parseSegmentName(name);
      if (parsed !== undefined) await log.#recover(name, parsed.number, parsed.salt, visit, total);
    }
    return { log, report: { ...total, segments: log.segments.length, bytes: log.bytes } };
  }

  /** Sequence that the next record will have. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The segment that is being written, if there is one. */
  get active(): Segment | undefined {
    return this.#active?.segment;
  }

  /**
   * Appends one frame and answers its sequence once it is on the disk. After a rejection the frame
   * is not in the log, and the same frame may be given again.
   */
  async commit(frame: Uint8Array, kind: number, items: number): Promise<number> {
    const isFull = (this.#active?.segment.bytes ?? 0) >= this.#options.segmentBytes;
    if (isFull || this.#activeMissing) this.closeActive();
    const active = this.#active ?? (await this.#begin());
    const { segment, file } = active;
    const index = segment.endSequence - segment.firstSequence;
    stampFrame(frame, segment.salt, { kind, index, before: segment.items, count: items });
    this.#write(active, frame);
    try {
      await file.sync();
    } catch (cause) {
      this.#abandon(active);
      throw cause;
    }
    segment.bytes += frame.length;
    segment.items += items;
    segment.lastMs = this.#options.now();
    this.bytes += frame.length;
    segment.endSequence = ++this.#nextSequence;
    return this.#nextSequence - 1;
  }

  /** The next record begins a new segment. */
  closeActive(): void {
    const active = this.#active;
    this.#active = undefined;
    this.#activeMissing = false;
    active?.file.close();
  }

  /** Deletes a segment that is not being written; one that is missing is done with. */
  remove(segment: Segment): void {
    if (segment === this.active) this.closeActive();
    try {
      this.#options.files.remove(segment.path);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
    }
    this.#forget(segment);
  }

  /** Opens a segment for reading its records from `start`; the caller closes the file. */
  openSegment(segment: Segment, start = 0): { file: LogFile; reader: FrameReader } {
    const file = this.#open(segment);
    return { file, reader: new FrameReader(file, segment.salt, start, segment.bytes) };
  }

  /** The segment that holds a record. */
  segmentOf(sequence: number): Segment | undefined {
    return this.segments.findLast(({ firstSequence, endSequence }) =>
      firstSequence <= sequence && sequence < endSequence
    );
  }

  close(): void {
    this.closeActive();
  }

  #open(segment: Segment): LogFile {
    try {
      return this.#options.files.open(segment.path);
    } catch (cause) {
      if (segment === this.active && isMissing(cause)) this.#activeMissing = true;
      throw cause;
    }
  }

  async #begin(): Promise<Active> {
    const { files, directory } = this.#options;
    const number = this.#nextNumber++;
    const salt = this.#options.random32() >>> 0;
    const path = `${directory}/${segmentName(number, salt)}`;
    const file = files.create(path);
    try {
      await files.syncDirectory(directory);
    } catch (cause) {
      file.close();
      this.#tryRemove(path);
      throw cause;
    }
    const at = this.#nextSequence;
    const nowMs = this.#options.now();
    const segment: Segment = {
      number,
      salt,
      path,
      firstSequence: at,
      endSequence: at,
      bytes: 0,
      items: 0,
      firstMs: nowMs,
      lastMs: nowMs,
    };
    this.segments.push(segment);
    this.#active = { segment, file };
    return this.#active;
  }

  /** Writes all of the frame, or throws with the file as it was before. */
  #write(active: Active, frame: Uint8Array): void {
    const { segment, file } = active;
    let written = 0;
    try {
      while (written < frame.length) {
        const count = file.write(frame.subarray(written), segment.bytes + written);
        if (count <= 0) throw new Error(`Cannot write to ${segment.path}: it took no bytes`);
        written += count;
      }
    } catch (cause) {
      try {
        file.truncate(segment.bytes);
      } catch {
        this.#abandon(active); // a file that cannot be cut is not written again
      }
      throw cause;
    }
  }

  /** Leaves a file that cannot be trusted with more; what was synced before stays valid. */
  #abandon(active: Active): void {
    if (this.#active !== active) return;
    try {
      active.file.truncate(active.segment.bytes);
    } catch {
      // What is behind the last synced record is cut off, or recovered, at the next start: a
      // record that is read twice is written twice to the store, which is the same as once.
    }
    this.closeActive();
    if (active.segment.bytes === 0) {
      this.#tryRemove(active.segment.path);
      this.#forget(active.segment);
    }
  }

  #tryRemove(path: string): void {
    try {
      this.#options.files.remove(path);
    } catch {
      // An empty file is left for the next start, which removes it.
    }
  }

  #forget(segment: Segment): void {
    const at = this.segments.indexOf(segment);
    if (at < 0) return;
    this.segments.splice(at, 1);
    this.bytes -= segment.bytes;
  }

  async #recover(
    name: string,
    number: number,
    salt: number,
    visit: (frame: ReadFrame, sequence: number, segment: Segment) => void,
    total: {
      records: number;
      items: number;
      tornBytes: number;
      corruptBytes: number;
      lostItems: number;
    },
  ): Promise<void> {
    const path = `${this.#options.directory}/${name}`;
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const nowMs = this.#options.now();
    const segment: Segment = {
      number,
      salt,
      path,
      firstSequence: this.#nextSequence,
      endSequence: this.#nextSequence,
      bytes: 0,
      items: 0,
      firstMs: nowMs,
      lastMs: nowMs,
    };
    const file = this.#options.files.open(path);
    try {
      const reader = new FrameReader(file, salt);
      for (let frame; (frame = await reader.next()) !== undefined;) {
        total.lostItems += Math.max(0, frame.before - segment.items);
        segment.items = frame.before + frame.count;
        total.records++;
        total.items += frame.count;
        const sequence = segment.firstSequence + frame.index;
        segment.endSequence = this.#nextSequence = sequence + 1;
        visit(frame, sequence, segment);
      }
      segment.bytes = reader.goodEnd;
      total.tornBytes += file.openedBytes - reader.goodEnd;
      total.corruptBytes += reader.corruptBytes;
      if (reader.goodEnd < file.openedBytes) file.truncate(reader.goodEnd);
    } finally {
      file.close();
    }
    if (segment.bytes === 0) return this.#options.files.remove(path);
    this.segments.push(segment);
    this.bytes += segment.bytes;
  }
}
