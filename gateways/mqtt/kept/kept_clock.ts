/**
 * The wall clock as times in the file of kept sessions go by it. When somebody sets the clock, what
 * is in the file is given the difference: nobody's session ends by that, and no will is sent.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { SteadyTime } from "../../../runtime/steady_time.ts";

/** What makes a difference to a session, in ms. */
export const jumpMsMin = 10_000;

/** The times in the file. Both give `undefined` when it fails. */
export interface KeptTimes {
  /** How far they were moved since there is the file, by whichever shard, in ms. */
  moved(): number | undefined;
  /**
   * Has them be later by `byMs`, less what they were moved since they had been moved by `sinceMs`,
   * for that was another shard which saw the same. `nowMs`: what the clock shows. Gives how far
   * they were moved by now.
   */
  move(byMs: number, nowMs: number, sinceMs: number | undefined): number | undefined;
}

/** See the module. */
export class KeptClock {
  readonly #clock: Clock;
  readonly #time: SteadyTime;
  readonly #times: KeptTimes;
  /** What the clock was set by since the start, as far as the file has followed, in ms. */
  #followedMs = 0;
  /** How far the file was moved when it had. */
  #movedMs: number | undefined;

  constructor(clock: Clock, times: KeptTimes) {
    this.#clock = clock;
    this.#time = new SteadyTime(clock);
    this.#times = times;
  }

  /** Wall time in ms, less what the file could not follow yet. */
  now(): number {
    const byMs = this.#notFollowedMs;
    if (Math.abs(byMs) < jumpMsMin) return this.#clock.now();
    const movedMs = this.#times.move(byMs, this.#clock.now(), this.#movedMs);
    if (movedMs === undefined) return this.#clock.now() - byMs;
    this.#followedMs += byMs;
    this.#movedMs = movedMs;
    return this.#clock.now();
  }

  /**
   * The same, to be asked at the start and from time to time: what others moved before this shard
   * began is then not taken for what it sees later itself.
   */
  look(): number {
    const movedMs = this.#times.moved(); // First: who moved them saw the clock before.
    const byMs = this.#notFollowedMs;
    if (movedMs !== undefined && Math.abs(byMs) < jumpMsMin) {
      // Of small steps that add up others may have followed some that this shard still would.
      const othersMs = movedMs - (this.#movedMs ?? movedMs);
      if (othersMs * byMs > 0) {
        this.#followedMs += Math.sign(byMs) * Math.min(Math.abs(byMs), Math.abs(othersMs));
      }
      this.#movedMs = movedMs;
    }
    return this.now();
  }

  get #notFollowedMs(): number {
    return this.#time.toWall(0) - this.#followedMs;
  }
}
