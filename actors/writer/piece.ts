/**
 * A part of a committed record: what the writer sends, splits and accounts for. It is a view; no
 * line is copied.
 *
 * @module
 */
import type { PointBatch } from "../sink.ts";
import type { SpoolRecord } from "../spool/record.ts";

const newline = 10;

/** Readings `[from, to)` of a record; or, of one reading, the lines in bytes `[start, end)`. */
export class Piece implements PointBatch {
  readonly record: SpoolRecord;
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  #lineEnds: Uint32Array | undefined;

  constructor(
    record: SpoolRecord,
    from = 0,
    to = record.count,
    start = startOf(record, from),
    end = startOf(record, to),
  ) {
    this.record = record;
    this.from = from;
    this.to = to;
    this.start = start;
    this.end = end;
  }

  get count(): number {
    return this.to - this.from;
  }

  get bytes(): number {
    return this.end - this.start;
  }

  get lines(): Uint8Array {
    return this.record.lines.subarray(this.start, this.end);
  }

  get lineEnds(): Uint32Array {
    this.#lineEnds ??= this.record.lineEnds
      .subarray(this.from, this.to)
      .map((end) => Math.min(end, this.end) - this.start);
    return this.#lineEnds;
  }

  get deviceOf(): Uint32Array {
    return this.record.deviceOf.subarray(this.from, this.to);
  }

  get devices(): readonly string[] {
    return this.record.devices;
  }

  /** Id of the device of its first reading. */
  get device(): string {
    return this.record.devices[this.record.deviceOf[this.from]!]!;
  }

  /** Two halves by readings, or by the lines of its one reading; nothing when it is one line. */
  halves(): readonly [Piece, Piece] | undefined {
    const { record, from, to, start, end } = this;
    if (to - from > 1) {
      const middle = (from + to) >>> 1;
      return [new Piece(record, from, middle), new Piece(record, middle, to)];
    }
    const cut = lineNear(record.lines, start, end);
    if (cut === end) return undefined;
    return [new Piece(record, from, to, start, cut), new Piece(record, from, to, cut, end)];
  }
}

/** Where the lines of a reading begin. */
function startOf(record: SpoolRecord, reading: number): number {
  return reading === 0 ? 0 : record.lineEnds[reading - 1]!;
}

/** The end of a line that parts `[start, end)` about in the middle; `end` when it is one line. */
function lineNear(lines: Uint8Array, start: number, end: number): number {
  if (end - start < 2) return end;
  const middle = (start + end) >>> 1;
  const before = lines.lastIndexOf(newline, middle - 1) + 1;
  if (before > start) return before;
  const after = lines.indexOf(newline, middle);
  return after < 0 || after >= end ? end : after + 1;
}

/** Halves a list by readings; nothing when it is a single line. */
export function halve(
  pieces: readonly Piece[],
): readonly [readonly Piece[], readonly Piece[]] | undefined {
  if (pieces.length === 1) {
    const halves = pieces[0]!.halves();
    return halves === undefined ? undefined : [[halves[0]], [halves[1]]];
  }
  const half = pieces.reduce((sum, { count }) => sum + count, 0) / 2;
  let readings = 0;
  let at = 0;
  while (at < pieces.length - 1 && readings + pieces[at]!.count <= half) {
    readings += pieces[at++]!.count;
  }
  if (at === 0) at = 1; // the first alone is more than half
  return [pieces.slice(0, at), pieces.slice(at)];
}
