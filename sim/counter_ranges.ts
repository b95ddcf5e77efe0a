/**
 * Sets of message counters as ranges, since what is acknowledged is nearly always a run.
 *
 * @module
 */

/** Counters from `from` up to, not including, `to`. */
export interface CounterRange {
  readonly from: number;
  readonly to: number;
}

/** A set of counters that mostly grows at its end. */
export class CounterRanges {
  /** Ordered, neither touching nor overlapping. */
  #ranges: { from: number; to: number }[] = [];
  #size = 0;

  get ranges(): readonly CounterRange[] {
    return this.#ranges;
  }

  /** How many counters are in the set. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest counter; 0 when empty. */
  get end(): number {
    return this.#ranges.at(-1)?.to ?? 0;
  }

  add(from: number, to: number): void {
    if (from >= to) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && from < last.from) return this.#insert(from, to);
    if (last === undefined || from > last.to) {
      this.#ranges.push({ from, to });
      this.#size += to - from;
    } else if (to > last.to) {
      this.#size += to - last.to;
      last.to = to;
    }
  }

  has(counter: number): boolean {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.to <= counter) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low];
    return range !== undefined && range.from <= counter;
  }

  #insert(from: number, to: number): void {
    const all = [...this.#ranges, { from, to }].sort((a, b) => a.from - b.from);
    this.#ranges = [];
    this.#size = 0;
    for (const range of all) this.add(range.from, range.to);
  }
}
