/**
 * A set of sequence numbers kept as ranges: what millions of records have in common costs two
 * numbers.
 *
 * @module
 */

/**
 * Half-open ranges `[start, end)`, disjoint and in order.
 *
 * @example
 * ```ts
 * import { SequenceRanges } from "./sequence_ranges.ts";
 * import assert from "node:assert/strict";
 *
 * const ranges = new SequenceRanges();
 * ranges.add(0, 1_000_000);
 * ranges.remove(500);
 * assert.deepEqual([...ranges], [[0, 500], [501, 1_000_000]]);
 * ```
 */
export class SequenceRanges {
  /** start, end, start, end, … strictly growing. */
  #bounds: number[] = [];

  get empty(): boolean {
    return this.#bounds.length === 0;
  }

  /** The smallest number in the set. */
  get first(): number | undefined {
    return this.#bounds[0];
  }

  /** How many ranges it takes. */
  get ranges(): number {
    return this.#bounds.length / 2;
  }

  has(sequence: number): boolean {
    return this.#upper(sequence) % 2 === 1;
  }

  /** Whether any number of `[start, end)` is in the set. */
  intersects(start: number, end: number): boolean {
    if (start >= end) return false;
    const at = this.#upper(start);
    return at % 2 === 1 || (at < this.#bounds.length && this.#bounds[at]! < end);
  }

  /** Whether all numbers of `[start, end)` are in the set. */
  covers(start: number, end: number): boolean {
    const at = this.#upper(start);
    return start >= end || (at % 2 === 1 && this.#bounds[at]! >= end);
  }

  add(start: number, end = start + 1): void {
    if (start >= end) return;
    const bounds = this.#bounds;
    if (start === bounds.at(-1)) {
      bounds[bounds.length - 1] = end;
      return;
    }
    // Ranges that touch are joined: bounds within [start, end] are replaced.
    const from = this.#lower(start);
    const to = this.#upper(end);
    const edges = [...(from % 2 === 0 ? [start] : []), ...(to % 2 === 0 ? [end] : [])];
    bounds.splice(from, to - from, ...edges);
  }

  remove(start: number, end = start + 1): void {
    if (start >= end) return;
    const from = this.#lower(start);
    const to = this.#upper(end);
    const edges = [...(from % 2 === 1 ? [start] : []), ...(to % 2 === 1 ? [end] : [])];
    this.#bounds.splice(from, to - from, ...edges);
  }

  addAll(other: SequenceRanges): void {
    for (const [start, end] of other) this.add(start, end);
  }

  *[Symbol.iterator](): Generator<readonly [start: number, end: number]> {
    for (let i = 0; i < this.#bounds.length; i += 2) {
      yield [this.#bounds[i]!, this.#bounds[i + 1]!];
    }
  }

  /** How many bounds are ≤ `value`: odd when `value` is in the set. */
  #upper(value: number): number {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many bounds are < `value`. */
  #lower(value: number): number {
    const at = this.#upper(value);
    return at > 0 && this.#bounds[at - 1] === value ? at - 1 : at;
  }
}
