/**
 * How long to wait before the next try: exponential, bounded, and spread so that what failed
 * together does not come back together.
 *
 * @module
 */
import type { Backoff } from "./actor.ts";

/** Checks a backoff; throws a `RangeError` that names the bad value. */
export function checkBackoff(backoff: Backoff): void {
  const { minMs, maxMs, factor, jitter, resetMs } = backoff;
  if (!(minMs >= 0 && maxMs >= minMs && maxMs < Infinity)) {
    throw new RangeError(`Cannot back off: ${minMs} to ${maxMs} ms is no range`);
  }
  if (!(factor >= 1)) throw new RangeError(`Cannot back off: factor ${factor} is below 1`);
  if (!(jitter >= 0 && jitter <= 1)) {
    throw new RangeError(`Cannot back off: jitter ${jitter} is not in 0..1`);
  }
  if (!(resetMs >= 0)) throw new RangeError(`Cannot back off: resetMs ${resetMs} is below 0`);
}

/**
 * The wait in ms before try number `attempt` (0 for the first). `random` gives 0 ≤ x < 1; the
 * result lies between `(1 - jitter)` and 1 times the exponential value.
 */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: () => number): number {
  const fullMs = Math.min(backoff.maxMs, backoff.minMs * backoff.factor ** attempt);
  return fullMs * (1 - backoff.jitter * random());
}
