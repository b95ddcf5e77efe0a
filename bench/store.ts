/**
 * What a bench asks of a store.
 *
 * @module
 */

/** What is held of the readings whose own time lies in a window. */
export interface Held {
  /** With doubles. */
  readonly readings: number;
  /** Different sequence numbers, device by device. */
  readonly distinct: number;
}

/** A store that Sluice can write to as to InfluxDB. */
export interface BenchStore extends AsyncDisposable {
  readonly url: string;
  /** Whose CPU counts as the store's. */
  readonly pid: number;
  /** Readings taken in so far. */
  taken(): Promise<number>;
  /**
   * Counts the readings with times in `[fromMs, toMs)`; asks again for a while as long as there are
   * fewer than `expected`.
   */
  held(fromMs: number, toMs: number, expected: number): Promise<Held>;
}
