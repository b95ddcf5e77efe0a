/**
 * How one record lies in a segment: a checked header, then the record's body. All numbers are
 * little-endian, as on every machine Deno runs on; a frame starts at a multiple of 8 bytes.
 *
 * | offset | field |
 * |---|---|
 * | 0 | magic and version; its first byte cannot occur in UTF-8 |
 * | 4 | CRC-32 of everything after it, seeded with the salt of the segment |
 * | 8 | length of the frame, padding included |
 * | 12 | kind of the record |
 * | 16 | records in the segment before this one |
 * | 20 | items in those records, so that a gap says how many were lost |
 * | 24 | items in this record |
 * | 28 | 0 |
 * | 32 | body |
 *
 * The salt is drawn for every segment: bytes of another file, or bytes that a device chose, do not
 * pass for a frame.
 *
 * @module
 */
import { crc32 } from "node:zlib";

/** `FF 53 4C 01`: version 1. */
const magic = 0x014c53ff;
export const frameHeaderBytes = 32;
/** A longer frame is taken for a corrupt length. */
export const frameBytesMax = 256 * 1024 * 1024;

/** What the header of a valid frame says. */
export interface FrameHeader {
  readonly length: number;
  readonly kind: number;
  readonly index: number;
  readonly before: number;
  readonly count: number;
}

/** A zeroed frame for a body of `bodyBytes`; header fields are set by {@linkcode stampFrame}. */
export function allocateFrame(bodyBytes: number): Uint8Array<ArrayBuffer> {
  const length = padded(frameHeaderBytes + bodyBytes);
  if (length > frameBytesMax) {
    throw new RangeError(`Cannot frame ${bodyBytes} bytes: the limit is ${frameBytesMax}`);
  }
  return new Uint8Array(length);
}

/** Writes the header, checksum included. A frame may be stamped again for another segment. */
export function stampFrame(
  frame: Uint8Array,
  salt: number,
  header: Omit<FrameHeader, "length">,
): void {
  const words = new Uint32Array(frame.buffer, frame.byteOffset, frameHeaderBytes / 4);
  words[0] = magic;
  words[2] = frame.length;
  words[3] = header.kind;
  words[4] = header.index;
  words[5] = header.before;
  words[6] = header.count;
  words[1] = crc32(frame.subarray(8), salt);
}

/** Length of the frame that seems to start at `at`; 0 when none does. Needs the header's bytes. */
export function frameLengthAt(view: DataView, at: number): number {
  if (view.getUint32(at, true) !== magic) return 0;
  const length = view.getUint32(at + 8, true);
  return length < frameHeaderBytes || length > frameBytesMax || length % 8 !== 0 ? 0 : length;
}

/** The header of a complete frame; `undefined` when its checksum does not hold. */
export function checkFrame(frame: Uint8Array, salt: number): FrameHeader | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint32(4, true) !== crc32(frame.subarray(8), salt)) return undefined;
  return {
    length: frame.length,
    kind: view.getUint32(12, true),
    index: view.getUint32(16, true),
    before: view.getUint32(20, true),
    count: view.getUint32(24, true),
  };
}

/** Offset of the next place at or after `from` where a frame may start; `view`'s length if none. */
export function nextMagic(view: DataView, from: number): number {
  for (let at = padded(from); at + 4 <= view.byteLength; at += 8) {
    if (view.getUint32(at, true) === magic) return at;
  }
  return view.byteLength;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
