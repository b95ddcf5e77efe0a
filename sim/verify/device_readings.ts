/**
 * What the store has of one device, message by message, as far as it was looked at.
 *
 * @module
 */

/** Fields a model may have: a bit of a byte each. */
export const fieldsMax = 8;

/** Of one device, by counter. Times in ns since the run's origin. */
export class DeviceReadings {
  /** How many messages there can be: more were not sent. */
  readonly capacity: number;
  readonly #timesNs: Float64Array;
  readonly #marks: Uint8Array;
  /** Readings that are there again, or at a wrong time: their time → counter. */
  readonly #strays = new Map<number, number>();
  /** By field. */
  readonly #series: string[] = [];
  #byTime: { readonly timesNs: Float64Array; readonly counters: Uint32Array } | undefined;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#timesNs = new Float64Array(capacity).fill(NaN);
    this.#marks = new Uint8Array(capacity);
  }

  /** When the reading is stored; NaN when it is not. */
  timeNs(counter: number): number {
    return this.#timesNs[counter]!;
  }

  /** The counter's own field was found. */
  found(counter: number, timeNs: number, field: number): void {
    this.#timesNs[counter] = timeNs;
    this.#marks[counter]! |= 1 << field;
  }

  stray(counter: number, timeNs: number): void {
    this.#strays.set(timeNs, counter);
  }

  /** The counter of a reading that is stored at this time though it should not be. */
  strayAt(timeNs: number): number | undefined {
    return this.#strays.get(timeNs);
  }

  mark(counter: number, field: number): void {
    this.#marks[counter]! |= 1 << field;
  }

  has(counter: number, field: number): boolean {
    return (this.#marks[counter]! & (1 << field)) !== 0;
  }

  /** True when every field in the set `fields` was seen. */
  hasAll(counter: number, fields: number): boolean {
    return (this.#marks[counter]! & fields) === fields;
  }

  /** True for the first series of a field and every later block of it; false for another one. */
  isOnlySeries(field: number, series: string): boolean {
    return (this.#series[field] ??= series) === series;
  }

  /**
   * Calls `visit` with each counter that is stored at `timeNs` until it answers true. To be used
   * once all of the counter's field was looked at.
   */
  at(timeNs: number, visit: (counter: number) => boolean): boolean {
    const { timesNs, counters } = this.#byTime ??= this.#sortByTime();
    let low = 0;
    let high = timesNs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (timesNs[middle]! < timeNs) low = middle + 1;
      else high = middle;
    }
    for (let i = low; timesNs[i] === timeNs; i++) {
      if (visit(counters[i]!)) return true;
    }
    return false;
  }

  #sortByTime(): { timesNs: Float64Array; counters: Uint32Array } {
    const counters = new Uint32Array(this.capacity);
    let count = 0;
    let ordered = true;
    let lastNs = -Infinity;
    for (let counter = 0; counter < this.capacity; counter++) {
      const timeNs = this.#timesNs[counter]!;
      if (Number.isNaN(timeNs)) continue;
      ordered &&= timeNs >= lastNs;
      lastNs = timeNs;
      counters[count++] = counter;
    }
    const found = counters.subarray(0, count);
    if (!ordered) found.sort((a, b) => this.#timesNs[a]! - this.#timesNs[b]!);
    return {
      timesNs: Float64Array.from(found, (counter) => this.#timesNs[counter]!),
      counters: found,
    };
  }
}
