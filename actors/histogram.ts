/**
 * A fixed-bucket histogram, cheap enough for the path of a reading.
 *
 * @module
 */
import type { HistogramSnapshot } from "./snapshot.ts";

/** Upper bounds in seconds, from 0.5 ms to 60 s. */
export const latencyBoundsS: readonly number[] = [
  0.0005,
  0.001,
  0.002,
  0.003,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
];

/** Counts observations per bucket; see {@linkcode HistogramSnapshot}. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[] = latencyBoundsS) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Records `weight` observations of one value. */
  observe(value: number, weight = 1): void {
    let i = 0;
    while (i < this.#bounds.length && value > this.#bounds[i]!) i++;
    this.#counts[i]! += weight;
    this.#sum += value * weight;
  }

  snapshot(): HistogramSnapshot {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

/** The sum of two histograms of the same bounds. */
export function addHistograms(a: HistogramSnapshot, b: HistogramSnapshot): HistogramSnapshot {
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)),
    sum: a.sum + b.sum,
  };
}
