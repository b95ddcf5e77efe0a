/**
 * Frames as they come from a client, read only when they are asked for, and no further ahead than
 * the connection's own buffer: a payload goes on piece by piece and is never gathered here.
 *
 * @module
 */
import type { BufferBudget } from "../../mqtt/endpoint/read_buffer.ts";
import { ReadBuffer } from "../../mqtt/endpoint/read_buffer.ts";
import type { Connection } from "../../mqtt/endpoint/link.ts";
import { type FrameHead, frameHead } from "./frame_head.ts";

/** A head has 14 bytes at most. */
const headBytesMax = 14;

/** See the module. One call at a time. */
export class FrameReader {
  readonly #connection: Pick<Connection, "read">;
  readonly #buffer: ReadBuffer;
  readonly #monotonic: () => number;
  readonly #mask = new Uint8Array(4);
  #maskAt = 0;
  #leftBytes = 0;
  #readSinceMs: number | undefined;

  constructor(
    connection: Pick<Connection, "read">,
    budget: BufferBudget,
    monotonic: () => number,
  ) {
    this.#connection = connection;
    this.#buffer = new ReadBuffer(budget);
    this.#monotonic = monotonic;
  }

  /** Since when the client has been listened to and has said nothing; `undefined`: nobody listens. */
  get silentSinceMs(): number | undefined {
    return this.#readSinceMs;
  }

  /** Bytes of the frame's payload that were not taken yet. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /**
   * The next frame's head; the payload of the one before was taken. `undefined`: the connection has
   * ended.
   *
   * @throws {WireError} when the frame is not allowed; `bytesMax` is for the payload of a data frame.
   */
  async head(bytesMax: number): Promise<FrameHead | undefined> {
    const buffer = this.#buffer;
    for (;;) {
      const head = frameHead(buffer.bytes, buffer.start, buffer.end, bytesMax);
      if (head !== undefined) {
        this.#mask.set(buffer.bytes.subarray(head.maskAt, head.end));
        this.#maskAt = 0;
        this.#leftBytes = head.length;
        buffer.start = head.end;
        return head;
      }
      if (!await this.#more(headBytesMax - (buffer.end - buffer.start))) return undefined;
    }
  }

  /**
   * More of the frame's payload: at least a byte, good until the next call. Empty: that was all.
   * `undefined`: the connection has ended.
   */
  async piece(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const buffer = this.#buffer;
    if (this.#leftBytes === 0) return buffer.bytes.subarray(0, 0);
    if (buffer.start === buffer.end && !await this.#more(1)) return undefined;
    const count = Math.min(this.#leftBytes, buffer.end - buffer.start);
    const piece = buffer.bytes.subarray(buffer.start, buffer.start + count);
    buffer.start += count;
    this.#leftBytes -= count;
    this.#unmask(piece);
    return piece;
  }

  /** The frame's payload, or as much as is left of it, into `target`. False: the connection has ended. */
  async into(target: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (let at = 0; this.#leftBytes > 0;) {
      const piece = await this.piece();
      if (piece === undefined) return false;
      target.set(piece, at);
      at += piece.length;
    }
    return true;
  }

  /** Nothing is read any more. */
  release(): void {
    this.#buffer.release();
  }

  /** Reads what is there. False: the connection has ended. */
  async #more(missingBytes: number): Promise<boolean> {
    const buffer = this.#buffer;
    const room = buffer.room(missingBytes);
    if (room === undefined) throw new RangeError("a frame's head fits into the smallest buffer");
    const sinceMs = this.#readSinceMs = this.#monotonic();
    try {
      const count = await this.#connection.read(room);
      if (count === null) return false;
      buffer.filled(count, this.#monotonic() - sinceMs > quietMs);
      return true;
    } finally {
      this.#readSinceMs = undefined;
    }
  }

  #unmask(piece: Uint8Array): void {
    const mask = this.#mask;
    let at = this.#maskAt;
    for (let i = 0; i < piece.length; i++) {
      piece[i]! ^= mask[at]!;
      at = (at + 1) & 3;
    }
    this.#maskAt = at;
  }
}

/** Who says nothing for so long falls back to the smallest buffer. */
const quietMs = 1_000;
