/**
 * One file of a log: its name says its place and its salt, so the file holds nothing but frames.
 *
 * @module
 */

/** A segment as the log knows it. */
export interface Segment {
  readonly number: number;
  readonly salt: number;
  readonly path: string;
  /** Sequence of its first record; those of one log are consecutive over its segments. */
  readonly firstSequence: number;
  /** One past its last record. */
  endSequence: number;
  /** Bytes of valid records. */
  bytes: number;
  /** Items in its records. */
  items: number;
  /**
   * Time of its first and last record, ms, as `now` of the log tells it; for a recovered one, that
   * of the recovery.
   */
  firstMs: number;
  lastMs: number;
}

const form = /^(\d{10})-([0-9a-f]{8})\.seg$/;

/** File name of a segment; names sort as their numbers do. */
export function segmentName(number: number, salt: number): string {
  return `${String(number).padStart(10, "0")}-${salt.toString(16).padStart(8, "0")}.seg`;
}

/** What the name of a segment says; `undefined` for any other file. */
export function parseSegmentName(name: string): { number: number; salt: number } | undefined {
  const match = form.exec(name);
  if (match === null) return undefined;
  return { number: Number(match[1]), salt: parseInt(match[2]!, 16) };
}
