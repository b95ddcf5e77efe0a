/**
 * Time since the epoch that does not jump: it is the wall clock's when it begins, and goes on with
 * the monotonic clock. For how long ago something was, when somebody may set the clock meanwhile.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** What the clocks drift apart, or are slewed by, is no jump. */
const toleranceMs = 1_000;

/**
 * See the module. All in ms.
 *
 * @example
 * ```ts
 * import { ManualClock } from "./clock.ts";
 * import { SteadyTime } from "./steady_time.ts";
 * import assert from "node:assert/strict";
 *
 * const clock = new ManualClock();
 * const time = new SteadyTime(clock);
 * const seenMs = time.of(clock.now());
 * clock.advance(100);
 * clock.setBy(3_600_000);
 * assert.equal(time.now() - seenMs, 100);
 * assert.equal(time.toWall(seenMs), clock.now() - 100);
 * ```
 */
export class SteadyTime {
  readonly #clock: Clock;
  readonly #beginsMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beginsMs = clock.now() - clock.monotonic();
  }

  now(): number {
    return this.#beginsMs + this.#clock.monotonic();
  }

  /** The steady time of what the wall clock showed lately; never ahead of {@linkcode now}. */
  of(wallMs: number): number {
    return Math.min(wallMs - this.#jumpedMs(), Math.floor(this.now()));
  }

  /** What the wall clock would have shown, had it been right then as it is now. */
  toWall(steadyMs: number): number {
    return steadyMs + this.#jumpedMs();
  }

  #jumpedMs(): number {
    const jumpedMs = this.#clock.now() - this.now();
    return Math.abs(jumpedMs) < toleranceMs ? 0 : Math.round(jumpedMs);
  }
}
