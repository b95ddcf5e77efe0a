/**
 * When the live lane writes, and how much of what waits: a batch is full by count or bytes, or its
 * oldest reading has waited for long enough.
 *
 * @module
 */

/** Limits of one write. */
export interface BatchLimits {
  readonly countMax: number;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
}

/** What waits, in all. */
export interface Waiting {
  readonly count: number;
  readonly bytes: number;
  /** How long the oldest has waited. */
  readonly ageMs: number;
  /** Somebody waits for the store's yes. */
  readonly urgent: boolean;
}

/** 0: write now; else look again after so many ms. `undefined`: nothing waits. */
export function writeInMs(waiting: Waiting, limits: BatchLimits): number | undefined {
  if (waiting.count === 0) return undefined;
  const full = waiting.count >= limits.countMax || waiting.bytes >= limits.bytesMax;
  return full || waiting.urgent ? 0 : Math.max(0, limits.ageMaxMs - waiting.ageMs);
}

/** How many of the first `sizes` make one batch: at least one, however large. */
export function batchLength(
  sizes: Iterable<{ readonly count: number; readonly bytes: number }>,
  limits: BatchLimits,
): number {
  let length = 0;
  let count = 0;
  let bytes = 0;
  for (const size of sizes) {
    count += size.count;
    bytes += size.bytes;
    if (length > 0 && (count > limits.countMax || bytes > limits.bytesMax)) break;
    length++;
  }
  return length;
}
