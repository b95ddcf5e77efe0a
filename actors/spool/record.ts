/**
 * A commit group as one record: the same bytes lie on the disk, wait in the writer's memory and come
 * back in recovery, and are a batch of points wherever they are.
 *
 * Body, after the frame's header: committed f64 ms · devices u32 · bytes of device ids u32 · bytes
 * of lines u32 · 0 u32 · then one column each of u32 a reading: line end, device, fingerprint high,
 * fingerprint low · u32 a device: end of its id · the ids in UTF-8 · the lines.
 *
 * @module
 */
import type { PointBatch } from "../sink.ts";
import { allocateFrame, frameHeaderBytes } from "../segment_log/frame.ts";
import type { ReadFrame } from "../segment_log/frame_reader.ts";
import type { CommitGroup, Completion } from "./commit_group.ts";

/** The frame kind of a record of readings. */
export const readingsKind = 1;
/** That of one without lines, whose readings the store has (remains.ts): the log counts no items. */
export const remainsKind = 2;

const bodyAt = frameHeaderBytes;
const fixedBytes = 24;
const columnsAt = bodyAt + fixedBytes;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** A group of readings that was committed, or read back. */
export class SpoolRecord implements PointBatch {
  /** Place in the spool, from when it was committed. */
  sequence = -1;
  /** The store said yes to it before: it is written again in case the store has forgotten. */
  again = false;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** Wall time of the commit, ms. */
  readonly committedMs: number;
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly lineEnds: Uint32Array<ArrayBuffer>;
  readonly deviceOf: Uint32Array<ArrayBuffer>;
  readonly fingerprintHi: Uint32Array<ArrayBuffer>;
  readonly fingerprintLo: Uint32Array<ArrayBuffer>;
  /** Completed once every reading is in the store, or is a dead letter. */
  stored: readonly Completion[];
  #devices: readonly string[] | undefined;
  readonly #deviceEnds: Uint32Array;
  readonly #deviceIds: Uint8Array;

  /** Reads a frame that passed its check, and keeps it. Throws on a body that makes no sense. */
  constructor(
    frame: Uint8Array<ArrayBuffer>,
    count: number,
    stored: readonly Completion[] = [],
    devices?: readonly string[],
  ) {
    const { buffer, byteOffset } = frame;
    const head = new DataView(buffer, byteOffset, columnsAt);
    const deviceCount = head.getUint32(bodyAt + 8, true);
    const idBytes = head.getUint32(bodyAt + 12, true);
    const lineBytes = head.getUint32(bodyAt + 16, true);
    const idsAt = columnsAt + count * 16 + deviceCount * 4;
    if (idsAt + idBytes + lineBytes > frame.length) {
      throw new RangeError(
        `Cannot read a spool record of ${frame.length} bytes: its parts need ${
          idsAt + idBytes + lineBytes
        }`,
      );
    }
    const column = (index: number, length = count) =>
      new Uint32Array(buffer, byteOffset + columnsAt + index * count * 4, length);
    this.frame = frame;
    this.count = count;
    this.committedMs = head.getFloat64(bodyAt, true);
    this.lineEnds = column(0);
    this.deviceOf = column(1);
    this.fingerprintHi = column(2);
    this.fingerprintLo = column(3);
    this.#deviceEnds = column(4, deviceCount);
    this.#deviceIds = frame.subarray(idsAt, idsAt + idBytes);
    this.lines = frame.subarray(idsAt + idBytes, idsAt + idBytes + lineBytes);
    this.stored = stored;
    this.#devices = devices;
  }

  /** Ids of its devices; decoded when first asked for. */
  get devices(): readonly string[] {
    if (this.#devices === undefined) {
      let start = 0;
      this.#devices = Array.from(this.#deviceEnds, (end) => {
        const id = utf8.decode(this.#deviceIds.subarray(start, end));
        start = end;
        return id;
      });
    }
    return this.#devices;
  }
}

/** Reads a frame of readings, or of what remains of some; `undefined` for any other. */
export function readRecord(frame: ReadFrame): SpoolRecord | undefined {
  if (frame.kind === readingsKind) return new SpoolRecord(frame.bytes, frame.count);
  return frame.kind === remainsKind ? readRemains(frame.bytes) : undefined;
}

/** How many there are follows from the length: padding is shorter than what one takes. */
function readRemains(frame: Uint8Array<ArrayBuffer>): SpoolRecord {
  const head = new DataView(frame.buffer, frame.byteOffset, columnsAt);
  const deviceBytes = head.getUint32(bodyAt + 8, true) * 4 + head.getUint32(bodyAt + 12, true);
  return new SpoolRecord(frame, Math.floor((frame.length - columnsAt - deviceBytes) / 16));
}

/** Copies the group into a record and opens it again. `durable` stays with the caller. */
export function sealGroup(group: CommitGroup, committedMs: number): SpoolRecord {
  const { count, devices, stored, lines, deviceIds: ids } = group;
  const columnBytes = count * 16 + devices.length * 4;
  const frame = allocateFrame(fixedBytes + columnBytes + ids.length + lines.length);
  const head = new DataView(frame.buffer, 0, columnsAt);
  head.setFloat64(bodyAt, committedMs, true);
  head.setUint32(bodyAt + 8, devices.length, true);
  head.setUint32(bodyAt + 12, ids.length, true);
  head.setUint32(bodyAt + 16, lines.length, true);
  const columns = new Uint32Array(frame.buffer, columnsAt, columnBytes / 4);
  columns.set(group.lineEnds.subarray(0, count), 0);
  columns.set(group.deviceOf.subarray(0, count), count);
  columns.set(group.fingerprintHi.subarray(0, count), count * 2);
  columns.set(group.fingerprintLo.subarray(0, count), count * 3);
  columns.set(group.deviceEnds, count * 4);
  frame.set(ids.bytes.subarray(0, ids.length), columnsAt + columnBytes);
  frame.set(lines.bytes.subarray(0, lines.length), columnsAt + columnBytes + ids.length);
  group.reset();
  return new SpoolRecord(frame, count, stored, devices);
}
