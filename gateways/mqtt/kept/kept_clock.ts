/**
 * The wall clock as times in the file of kept sessions go by it. When somebody sets the clock, what
 * is in the file is given the difference: nobody's session ends by that, and no will is sent.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { SteadyTime } from "../../../runtime/steady_time.ts";

/** What makes a difference to a session. */
const jumpMsMin = 10_000;

/** See the module. */
export class KeptClock {
  readonly #clock: Clock;
  readonly #time: SteadyTime;
  readonly #shift: (byMs: number, beforeMs: number) => boolean;
  /** What the clock was set by since the start, as far as the file has followed, in ms. */
  #followedMs = 0;

  /**
   * `shift` has the times in the file be later, of what was written while the clock showed no more
   * than `beforeMs`; false when it failed, and is to be tried again.
   */
  constructor(clock: Clock, shift: (byMs: number, beforeMs: number) => boolean) {
    this.#clock = clock;
    this.#time = new SteadyTime(clock);
    this.#shift = shift;
  }

  /** Wall time in ms, less what the file could not follow yet. */
  now(): number {
    const setByMs = this.#time.toWall(0);
    const byMs = setByMs - this.#followedMs;
    if (Math.abs(byMs) >= jumpMsMin) {
      const beforeMs = this.#clock.now() - byMs;
      // What was written since differs by more than that.
      if (!this.#shift(byMs, beforeMs + jumpMsMin / 2)) return beforeMs;
      this.#followedMs = setByMs;
    }
    return this.#clock.now();
  }
}
