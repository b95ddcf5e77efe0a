/**
 * Sends frames of any size over a link that takes buffers up to a limit: each frame is cut into
 * pieces, which wait for credit, and is put together again on the other side.
 *
 * @module
 */
import type { TellResult } from "../../runtime/actor.ts";

/** Bytes of a frame in one piece; a few of them fit the window of a link. */
const pieceBytes = 512 * 1024;
/** Little-endian u32: id of the frame, its length, and where in it the piece begins. */
const headerBytes = 12;

/** The sending end. Its queue holds what the caller has under way, and no more. */
export class PieceSender {
  readonly #transfer: (buffer: ArrayBuffer) => TellResult;
  readonly #queue: ArrayBuffer[] = [];

  constructor(transfer: (buffer: ArrayBuffer) => TellResult) {
    this.#transfer = transfer;
  }

  send(id: number, frame: ArrayBuffer): void {
    for (let at = 0; at < frame.byteLength; at += pieceBytes) {
      const part = new Uint8Array(frame, at, Math.min(pieceBytes, frame.byteLength - at));
      const piece = new ArrayBuffer(headerBytes + part.length);
      const header = new DataView(piece);
      header.setUint32(0, id, true);
      header.setUint32(4, frame.byteLength, true);
      header.setUint32(8, at, true);
      new Uint8Array(piece, headerBytes).set(part);
      this.#queue.push(piece);
    }
    this.resume();
  }

  /** There is credit again. */
  resume(): void {
    let sent = 0;
    while (sent < this.#queue.length && this.#transfer(this.#queue[sent]!) === "accepted") sent++;
    this.#queue.splice(0, sent);
  }
}

/** A frame that came whole. */
export interface JoinedFrame {
  readonly id: number;
  readonly frame: ArrayBuffer;
}

/** The receiving end: pieces come in order, frame after frame. */
export class PieceJoiner {
  #frame = new ArrayBuffer(0);
  #id = 0;
  #filled = 0;

  /** The frame that this piece completes, if it does. Throws a `RangeError` on a wrong piece. */
  add(piece: Uint8Array): JoinedFrame | undefined {
    if (piece.length <= headerBytes) throw new RangeError("a piece of a frame is too short");
    const header = new DataView(piece.buffer, piece.byteOffset, headerBytes);
    const id = header.getUint32(0, true), length = header.getUint32(4, true);
    const at = header.getUint32(8, true);
    if (this.#filled === 0) {
      this.#id = id;
      this.#frame = new ArrayBuffer(length);
    }
    const part = piece.subarray(headerBytes);
    const isNext = id === this.#id && at === this.#filled && length === this.#frame.byteLength;
    if (!isNext || at + part.length > length) {
      throw new RangeError(`a piece of frame ${id} is out of place at byte ${at} of ${length}`);
    }
    new Uint8Array(this.#frame).set(part, at);
    this.#filled += part.length;
    if (this.#filled < length) return undefined;
    this.#filled = 0;
    return { id, frame: this.#frame };
  }
}
