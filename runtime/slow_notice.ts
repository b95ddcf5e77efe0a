/**
 * Tells that something takes long, ever less often, until it is over.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

const pauseMsMax = 60_000;

/** See the module. First after `firstMs`, then whenever twice that time has passed, or a minute. */
export class SlowNotice {
  readonly #clock: Clock;
  readonly #sinceMs: number;
  readonly #tell: (ms: number) => void;
  #timer: Timer;

  /** `tell` is given how long it has taken so far, in ms. */
  constructor(clock: Clock, firstMs: number, tell: (ms: number) => void) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonic();
    this.#tell = tell;
    this.#timer = this.#after(firstMs);
  }

  clear(): void {
    this.#timer.clear();
  }

  #after(pauseMs: number): Timer {
    return this.#clock.setTimer(pauseMs, () => {
      const ms = this.#clock.monotonic() - this.#sinceMs;
      this.#timer = this.#after(Math.min(ms, pauseMsMax));
      this.#tell(ms);
    });
  }
}
