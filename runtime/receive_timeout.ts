/**
 * Notices that no message came for a while. A message only notes the time; the timer looks at that
 * when it fires.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

/** Fires when no message came for `delayMs`, and again after each further such time. */
export class ReceiveTimeout {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #fired: () => void;
  #lastMs: number;
  #timer: Timer;

  constructor(clock: Clock, delayMs: number, fired: () => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#fired = fired;
    this.#lastMs = clock.monotonic();
    this.#timer = clock.setTimer(delayMs, () => this.#check());
  }

  /** A message came. */
  touch(): void {
    this.#lastMs = this.#clock.monotonic();
  }

  clear(): void {
    this.#timer.clear();
  }

  #check(): void {
    const nowMs = this.#clock.monotonic();
    let leftMs = this.#lastMs + this.#delayMs - nowMs;
    // The event loop's timers count whole ms and may be early by a part of one.
    if (leftMs < 0.5) {
      this.#lastMs = nowMs;
      leftMs = this.#delayMs;
      this.#fired();
    }
    this.#timer = this.#clock.setTimer(leftMs, () => this.#check());
  }
}
