/**
 * The wall clock for what cannot be undone: when it is set ahead, that is believed only after it has
 * stood for a while. A clock that is wrong for an hour must not delete what is not old.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** What the clocks drift apart, or are slewed by, is no jump. */
const toleranceMs = 60_000;
/** Whoever looks after the machine has a day to notice. */
const holdMs = 24 * 3_600_000;

/** See the module. What was so when it begins is believed. */
export class BelievedTime {
  readonly #clock: Clock;
  /** Wall time less monotonic time, as far as it is believed. */
  #offsetMs: number;
  /** Monotonic time since which the wall clock has been ahead of that. */
  #aheadSinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonic();
  }

  /** Wall time in ms, whole; to be asked now and then. */
  now(): number {
    const monotonicMs = this.#clock.monotonic();
    const offsetMs = this.#clock.now() - monotonicMs;
    if (offsetMs - this.#offsetMs <= toleranceMs) this.#aheadSinceMs = undefined;
    else this.#aheadSinceMs ??= monotonicMs;
    if (this.#aheadSinceMs === undefined || monotonicMs - this.#aheadSinceMs >= holdMs) {
      this.#offsetMs = offsetMs;
      this.#aheadSinceMs = undefined;
    }
    return Math.floor(this.#offsetMs + monotonicMs);
  }
}
