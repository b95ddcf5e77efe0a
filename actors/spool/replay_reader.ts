/**
 * Reads the records that wait on the disk, oldest first, a bounded amount at a time. It keeps its
 * place between two calls, so a backlog is read once from end to end.
 *
 * @module
 */
import type { LogFile } from "../segment_log/files.ts";
import type { FrameReader, ReadFrame } from "../segment_log/frame_reader.ts";
import { isMissing } from "../segment_log/is_missing.ts";
import type { Segment } from "../segment_log/segment.ts";
import type { SegmentLog } from "../segment_log/segment_log.ts";
import type { Custody } from "./custody.ts";
import { SpoolRecord } from "./record.ts";

/** Where the reading stands in a segment. */
interface Cursor {
  readonly segment: Segment;
  readonly file: LogFile;
  readonly reader: FrameReader;
  /** The segment's end when it was opened: the one being written grows. */
  readonly endSequence: number;
  nextSequence: number;
  /** Readings in the segment up to `nextSequence`. */
  items: number;
}

export interface ReplayEvents {
  /** A record leaves the backlog. */
  read(segment: Segment, record: SpoolRecord): void;
  /** Records `[start, end)` were valid once and are not any more: how many readings that costs. */
  unreadable(segment: Segment, start: number, end: number, readings: number): void;
}

/** See the module. One `read` at a time. */
export class ReplayReader {
  readonly #log: SegmentLog;
  readonly #custody: Custody;
  readonly #events: ReplayEvents;
  #cursor: Cursor | undefined;
  #closed = false;

  constructor(log: SegmentLog, custody: Custody, events: ReplayEvents) {
    this.#log = log;
    this.#custody = custody;
    this.#events = events;
  }

  /**
   * Records that wait, until they hold `bytesMax` or more; none when none waits. They are the
   * writer's from now on. Rejects when the disk fails before the first.
   */
  async read(bytesMax: number): Promise<SpoolRecord[]> {
    const records: SpoolRecord[] = [];
    try {
      for (let bytes = 0; bytes < bytesMax;) {
        const record = await this.#next();
        if (record === undefined) break;
        bytes += record.frame.length;
        records.push(record);
      }
    } catch (cause) {
      this.#leave();
      if (records.length === 0) throw cause;
    }
    return records;
  }

  /** Records `[start, end)` were deleted: an open file would keep their room on the disk. */
  gone(start: number, end: number): void {
    const first = this.#cursor?.segment.firstSequence;
    if (first !== undefined && start <= first && first < end) this.#leave();
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  #leave(): void {
    this.#cursor?.file.close();
    this.#cursor = undefined;
  }

  async #next(): Promise<SpoolRecord | undefined> {
    for (;;) {
      const wanted = this.#custody.nextWaiting;
      if (wanted === undefined) return undefined;
      const cursor = this.#cursorAt(wanted);
      if (cursor === undefined) {
        this.#custody.forget(wanted, wanted + 1);
        continue;
      }
      const { segment } = cursor;
      const frame = await this.#nextFrame(cursor);
      if (this.#closed) return undefined;
      if (this.#cursor !== cursor) continue; // Deleted meanwhile.
      if (frame === undefined) {
        const readings = Math.max(0, segment.items - cursor.items);
        this.#events.unreadable(segment, wanted, cursor.endSequence, readings);
        this.#leave();
        continue;
      }
      const sequence = segment.firstSequence + frame.index;
      if (sequence > wanted) {
        this.#events.unreadable(
          segment,
          wanted,
          sequence,
          Math.max(0, frame.before - cursor.items),
        );
      }
      cursor.nextSequence = sequence + 1;
      cursor.items = frame.before + frame.count;
      if (!this.#custody.isWaiting(sequence)) continue;
      const record = new SpoolRecord(frame.bytes.slice(), frame.count);
      record.sequence = sequence;
      record.again = this.#custody.isAgain(sequence);
      this.#custody.hand(sequence);
      this.#events.read(segment, record);
      return record;
    }
  }

  async #nextFrame(cursor: Cursor): Promise<ReadFrame | undefined> {
    try {
      return await cursor.reader.next();
    } catch (cause) {
      if (this.#cursor === cursor) throw cause;
      return undefined; // Its file was closed meanwhile.
    }
  }

  #cursorAt(wanted: number): Cursor | undefined {
    const segment = this.#log.segmentOf(wanted);
    const old = this.#cursor;
    const goesOn = old !== undefined && old.segment === segment && old.nextSequence <= wanted;
    if (goesOn && wanted < old.endSequence) return old;
    this.#leave();
    if (segment === undefined) return undefined;
    const items = goesOn ? old.items : 0;
    const opened = this.#open(segment, goesOn ? old.reader.goodEnd : 0);
    if (opened === undefined) {
      const { endSequence } = segment;
      this.#events.unreadable(segment, wanted, endSequence, segment.items - items);
      return undefined;
    }
    this.#cursor = {
      ...opened,
      segment,
      endSequence: segment.endSequence,
      nextSequence: goesOn ? old.nextSequence : segment.firstSequence,
      items,
    };
    return this.#cursor;
  }

  /** `undefined` when somebody removed it. */
  #open(segment: Segment, start: number): { file: LogFile; reader: FrameReader } | undefined {
    try {
      return this.#log.openSegment(segment, start);
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    }
  }
}
