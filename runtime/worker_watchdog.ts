/**
 * Notices that a Worker's event loop stands still: its heartbeats stay away.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

/** Calls `dead` once when no beat came for `silenceMs`, a time that this thread was awake for. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #dead: () => void;
  #beatMs: number;
  #timer: Timer;

  constructor(clock: Clock, silenceMs: number, dead: () => void) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#dead = dead;
    this.#beatMs = clock.monotonic();
    this.#timer = this.#lookAt(this.#beatMs + silenceMs);
  }

  /** How long ago the last beat was. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#beatMs;
  }

  beat(): void {
    this.#beatMs = this.#clock.monotonic();
  }

  clear(): void {
    this.#timer.clear();
  }

  #lookAt(dueMs: number): Timer {
    return this.#clock.setTimer(dueMs - this.#clock.monotonic(), () => {
      const nowMs = this.#clock.monotonic();
      if (nowMs - this.#beatMs < this.#silenceMs) {
        this.#timer = this.#lookAt(this.#beatMs + this.#silenceMs);
      } else if (nowMs - dueMs > this.#silenceMs / 4) {
        // This thread itself was asleep (busy, or the process was suspended), beats may wait
        // unread, and the Worker has as much to catch up with: its time begins anew.
        this.#beatMs = nowMs;
        this.#timer = this.#lookAt(this.#beatMs + this.#silenceMs);
      } else {
        this.#dead();
      }
    });
  }
}
