/**
 * Reads a segment frame by frame, in bounded memory. What is not a valid frame is skipped to the
 * next that is: corruption in the middle costs the records it hit, not those behind it.
 *
 * @module
 */
import { type LogFile, readFully } from "./files.ts";
import {
  checkFrame,
  type FrameHeader,
  frameHeaderBytes,
  frameLengthAt,
  nextMagic,
} from "./frame.ts";

/** A frame that passed its check. */
export interface ReadFrame extends FrameHeader {
  readonly offset: number;
  /** A view that is valid until the next call of {@linkcode FrameReader.next}. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Answers the valid frames of a file in order. */
export class FrameReader {
  /** Bytes skipped before a valid frame: corruption. */
  corruptBytes = 0;
  /** Just past the last valid frame. */
  goodEnd: number;
  readonly #file: LogFile;
  readonly #salt: number;
  readonly #endBytes: number;
  #window: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #base: number;
  #filled = 0;

  /** Reads `[start, end)` of `file`; `start` is where a frame starts. */
  constructor(file: LogFile, salt: number, start = 0, end = file.openedBytes, chunk = 1024 * 1024) {
    this.#file = file;
    this.#salt = salt;
    this.#base = start;
    this.goodEnd = start;
    this.#endBytes = end;
    this.#window = new Uint8Array(Math.min(chunk, Math.max(frameHeaderBytes, end - start)));
    this.#view = new DataView(this.#window.buffer);
  }

  /** The next valid frame; `undefined` at the end. What is behind `goodEnd` then is a torn tail. */
  async next(): Promise<ReadFrame | undefined> {
    let at = this.goodEnd;
    for (;;) {
      if (!this.#holds(at, frameHeaderBytes) && !(await this.#load(at, frameHeaderBytes))) {
        return undefined;
      }
      const length = frameLengthAt(this.#view, at - this.#base);
      if (length > 0 && (this.#holds(at, length) || (await this.#load(at, length)))) {
        const start = at - this.#base;
        const bytes = this.#window.subarray(start, start + length);
        const header = checkFrame(bytes, this.#salt);
        if (header !== undefined) {
          this.corruptBytes += at - this.goodEnd;
          this.goodEnd = at + length;
          return { ...header, offset: at, bytes };
        }
      }
      at = this.#skip(at);
    }
  }

  #holds(at: number, count: number): boolean {
    return at >= this.#base && at + count <= this.#base + this.#filled;
  }

  /** Moves the window to `at`; false when the file ends before `count` bytes. */
  async #load(at: number, count: number): Promise<boolean> {
    if (at + count > this.#endBytes) return false;
    if (count > this.#window.length) {
      this.#window = new Uint8Array(count);
      this.#view = new DataView(this.#window.buffer);
    }
    const want = Math.min(this.#window.length, this.#endBytes - at);
    this.#base = at;
    this.#filled = await readFully(this.#file, this.#window.subarray(0, want), at);
    return this.#filled >= count;
  }

  /** Where to look next when no frame starts at `at`. */
  #skip(at: number): number {
    if (!this.#holds(at, frameHeaderBytes)) return at + 8;
    const held = new DataView(this.#window.buffer, 0, this.#filled);
    return this.#base + nextMagic(held, at - this.#base + 8);
  }
}
