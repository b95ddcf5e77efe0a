/**
 * Percentiles of how long an acknowledgement took, from HDR histograms.
 *
 * @module
 */
import { build, type Histogram } from "hdr-histogram-js";

/** Latencies in ms. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const longestUs = 3_600_000_000;

/** Collects latencies with three significant digits, in constant memory, from 1 µs to an hour. */
export class LatencyRecorder {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestUs,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
  });
  #runUs = -1;
  #runCount = 0;

  /** Messages of one write that are acknowledged together have one latency: those cost an addition. */
  record(latencyMs: number): void {
    const us = Math.min(longestUs, Math.max(1, Math.round(latencyMs * 1_000)));
    if (us !== this.#runUs) {
      this.#flush();
      this.#runUs = us;
    }
    this.#runCount++;
  }

  summary(): LatencySummary {
    this.#flush();
    const h = this.#histogram;
    const at = (percentile: number) => h.getValueAtPercentile(percentile) / 1_000;
    return {
      count: h.totalCount,
      mean: h.totalCount === 0 ? 0 : h.mean / 1_000,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: h.maxValue / 1_000,
    };
  }

  #flush(): void {
    if (this.#runCount > 0) this.#histogram.recordValueWithCount(this.#runUs, this.#runCount);
    this.#runCount = 0;
  }
}
