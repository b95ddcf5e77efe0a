/**
 * The form in which undecoded readings travel from the edge that received them to the shard that
 * owns their devices: an index of fixed-size entries, and one run of bytes with every topic and
 * payload. The bytes are copied once out of the socket's buffer, and, when the owner is another
 * Worker, once more into a transferable buffer; the sender keeps its own copy until the batch is
 * settled, so it can send it again should the owner be lost.
 *
 * Layout, little endian: header of {@linkcode headerBytes} (magic, version, acknowledgement level,
 * batch id, count, bytes of data, whether it is awaited, arrival in ms as float64), then per reading four uint32 (end of
 * the topic, end of the payload, origin hash, and packet id | flags << 16 | transport << 24), then
 * the data. A topic starts where the payload before it ends.
 *
 * @module
 */
import { LineBuffer } from "./line_buffer.ts";
import { offerFlags } from "./intake.ts";

const magic = 0x464c5253; // "SRLF"
const version = 1;
const headerBytes = 32;
const entryWords = 4;

/** When the sender's readings are acknowledged. The index is the wire code. */
export const ackLevels = ["spooled", "stored"] as const;
export type AckLevel = typeof ackLevels[number];

/** Read access to a frame, at the sender (its own buffers) or at the owner (a parsed one). */
export interface ReadingsFrame {
  readonly count: number;
  /** Topics and payloads. */
  readonly data: Uint8Array;
  /** {@linkcode entryWords} words per reading. */
  readonly index: Uint32Array;
  /** When the first reading came in, wall time in ms. */
  readonly arrivalMs: number;
  /** Somebody waits to hear what became of one of them. */
  readonly awaited: boolean;
}

export const topicEnd = (frame: ReadingsFrame, i: number): number => frame.index[i * entryWords]!;
export const payloadEnd = (frame: ReadingsFrame, i: number): number =>
  frame.index[i * entryWords + 1]!;
export const topicStart = (frame: ReadingsFrame, i: number): number =>
  i === 0 ? 0 : frame.index[i * entryWords - 3]!;
export const originHash = (frame: ReadingsFrame, i: number): number =>
  frame.index[i * entryWords + 2]!;
export const packetId = (frame: ReadingsFrame, i: number): number =>
  frame.index[i * entryWords + 3]! & 0xffff;
/** {@linkcode offerFlags} of reading `i`. */
export const flags = (frame: ReadingsFrame, i: number): number =>
  (frame.index[i * entryWords + 3]! >>> 16) & 0xff;
export const transportCode = (frame: ReadingsFrame, i: number): number =>
  frame.index[i * entryWords + 3]! >>> 24;

/** Gathers readings. Reusable: {@linkcode FrameWriter.reset} keeps the buffers. */
export class FrameWriter implements ReadingsFrame {
  readonly #lines: LineBuffer;
  index: Uint32Array;
  count = 0;
  arrivalMs = 0;
  awaited = false;

  constructor(dataBytes = 16 * 1024, readings = 64) {
    this.#lines = new LineBuffer(dataBytes);
    this.index = new Uint32Array(readings * entryWords);
  }

  get data(): Uint8Array {
    return this.#lines.bytes.subarray(0, this.#lines.length);
  }

  /** Bytes gathered, index included: what the frame costs in credit. */
  get bytes(): number {
    return this.#lines.length + this.count * entryWords * 4;
  }

  /** The buffers are much larger than what is in them. */
  get sparse(): boolean {
    return this.#lines.bytes.length + this.index.byteLength > 4 * this.bytes + 2_048;
  }

  /** A copy in buffers that fit. */
  compact(): FrameWriter {
    const copy = new FrameWriter(this.#lines.length, Math.max(1, this.count));
    copy.#lines.append(this.data);
    copy.index.set(this.index.subarray(0, this.count * entryWords));
    copy.count = this.count;
    copy.arrivalMs = this.arrivalMs;
    copy.awaited = this.awaited;
    return copy;
  }

  add(
    source: Uint8Array,
    topicFrom: number,
    topicTo: number,
    payloadFrom: number,
    payloadTo: number,
    word: number,
    origin: number,
  ): void {
    let at = this.count * entryWords;
    if (at === this.index.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.index);
      this.index = grown;
    }
    const lines = this.#lines;
    if (topicTo <= payloadFrom && payloadFrom - topicTo <= 8 && payloadTo - topicFrom > 64) {
      // Topic and payload lie side by side in a PUBLISH: one native copy, then close the gap.
      const start = lines.length;
      lines.append(source, topicFrom, payloadTo);
      const gap = payloadFrom - topicTo;
      if (gap > 0) {
        const to = start + topicTo - topicFrom;
        lines.bytes.copyWithin(to, to + gap, lines.length);
        lines.length -= gap;
      }
    } else {
      lines.append(source, topicFrom, topicTo);
      lines.append(source, payloadFrom, payloadTo);
    }
    this.index[at++] = lines.length - (payloadTo - payloadFrom);
    this.index[at++] = lines.length;
    this.index[at++] = origin;
    this.index[at] = word;
    this.count++;
  }

  /** Marks every reading of QoS 1 and 2 as sent before, for sending the frame once more. */
  markDuplicates(): void {
    for (let i = 0; i < this.count; i++) {
      if ((flags(this, i) & offerFlags.qosMask) === 0) continue;
      this.index[i * entryWords + 3]! |= offerFlags.dup << 16;
    }
  }

  reset(): void {
    this.#lines.length = 0;
    this.count = 0;
    this.awaited = false;
  }

  /** The transferable form: a copy. */
  pack(batchId: number, ackLevel: AckLevel): ArrayBuffer {
    const data = this.data;
    const indexBytes = this.count * entryWords * 4;
    const packed = new ArrayBuffer(headerBytes + indexBytes + data.length);
    const header = new DataView(packed);
    header.setUint32(0, magic, true);
    header.setUint16(4, version, true);
    header.setUint16(6, ackLevels.indexOf(ackLevel), true);
    header.setUint32(8, batchId, true);
    header.setUint32(12, this.count, true);
    header.setUint32(16, data.length, true);
    header.setUint32(20, this.awaited ? 1 : 0, true);
    header.setFloat64(24, this.arrivalMs, true);
    new Uint32Array(packed, headerBytes, this.count * entryWords)
      .set(this.index.subarray(0, this.count * entryWords));
    new Uint8Array(packed, headerBytes + indexBytes).set(data);
    return packed;
  }
}

/** The word that carries packet id, flags and transport of one reading. */
export function entryWord(packet: number, flagBits: number, transport: number): number {
  return (packet | (flagBits << 16) | (transport << 24)) >>> 0;
}

/** A frame as it came from another Worker. */
export interface ParsedFrame extends ReadingsFrame {
  readonly batchId: number;
  readonly ackLevel: AckLevel;
}

/** Larger than any frame: credit and the limit of a payload end far below it. */
const joinedBytesMax = 256 * 1024 * 1024;

/** Puts a packed frame together that came in pieces: one after the other, and each frame whole. */
export class FrameJoiner {
  #joined: Uint8Array | undefined;
  #filled = 0;

  /**
   * The frame that this piece completes; a frame that came in one piece is given back as it is.
   *
   * @throws {RangeError} when the piece is of no frame; then the next begins a new one.
   */
  add(piece: Uint8Array): Uint8Array | undefined {
    const joined = this.#joined;
    if (joined === undefined) {
      const length = packedLength(piece);
      if (length <= piece.length) return piece;
      this.#joined = new Uint8Array(length);
      this.#joined.set(piece);
      this.#filled = piece.length;
      return undefined;
    }
    if (this.#filled + piece.length > joined.length) {
      this.#joined = undefined;
      throw new RangeError("readings frame: a piece goes beyond its end");
    }
    joined.set(piece, this.#filled);
    this.#filled += piece.length;
    if (this.#filled < joined.length) return undefined;
    this.#joined = undefined;
    return joined;
  }
}

/** Length of the frame that begins here, by its header. */
function packedLength(packed: Uint8Array): number {
  if (packed.length < headerBytes) return 0; // Not whole: for parseFrame to say.
  const header = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const length = headerBytes + header.getUint32(12, true) * entryWords * 4 +
    header.getUint32(16, true);
  if (header.getUint32(0, true) !== magic || length > joinedBytesMax) {
    throw new RangeError("readings frame: wrong magic, or too long");
  }
  return length;
}

/**
 * Reads what {@linkcode FrameWriter.pack} made. Every offset is checked, so that the owner never
 * reads beyond the data.
 *
 * @throws {RangeError} when the bytes are not a whole frame of this version.
 */
export function parseFrame(packed: Uint8Array): ParsedFrame {
  if (packed.length < headerBytes) throw new RangeError("readings frame: shorter than its header");
  const header = new DataView(packed.buffer, packed.byteOffset, packed.length);
  if (header.getUint32(0, true) !== magic || header.getUint16(4, true) !== version) {
    throw new RangeError("readings frame: wrong magic or version");
  }
  const ackLevel = ackLevels[header.getUint16(6, true)];
  const count = header.getUint32(12, true);
  const dataLength = header.getUint32(16, true);
  const indexBytes = count * entryWords * 4;
  if (ackLevel === undefined || headerBytes + indexBytes + dataLength !== packed.length) {
    throw new RangeError("readings frame: length or acknowledgement level does not fit");
  }
  const index = packed.byteOffset % 4 === 0
    ? new Uint32Array(packed.buffer, packed.byteOffset + headerBytes, count * entryWords)
    : new Uint32Array(packed.slice(headerBytes, headerBytes + indexBytes).buffer);
  let end = 0;
  for (let at = 0; at < index.length; at += entryWords) {
    const topic = index[at]!;
    const payload = index[at + 1]!;
    if (topic < end || payload < topic || payload > dataLength) {
      throw new RangeError(`readings frame: entry ${at / entryWords} lies outside the data`);
    }
    end = payload;
  }
  return {
    batchId: header.getUint32(8, true),
    ackLevel,
    count,
    arrivalMs: header.getFloat64(24, true),
    awaited: header.getUint32(20, true) !== 0,
    index,
    data: packed.subarray(headerBytes + indexBytes),
  };
}
