/**
 * Time as a parameter, so that tests own it.
 *
 * @module
 */

/** A timer that was set. `clear` after it fired does nothing. */
export interface Timer {
  clear(): void;
}

/** Wall time, monotonic time and timers. All in ms. */
export interface Clock {
  /** Wall time, ms since the epoch. */
  now(): number;
  /** Never goes back; only differences mean something. */
  monotonic(): number;
  /** Fires once, `delayMs` from now, however long that is; `Infinity` is never. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** `setTimeout` takes a longer delay for 1 ms. */
const timeoutMsMax = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, fire) {
    if (delayMs > timeoutMsMax) return new LongTimer(delayMs, fire);
    const id = setTimeout(fire, delayMs);
    return { clear: () => clearTimeout(id) };
  },
};

/** A timer in stages, each as long as `setTimeout` can wait. One for `Infinity` never fires. */
class LongTimer implements Timer {
  #stage: ReturnType<typeof setTimeout> | undefined;

  constructor(delayMs: number, fire: () => void) {
    this.#wait(delayMs, fire);
  }

  clear(): void {
    clearTimeout(this.#stage);
  }

  #wait(leftMs: number, fire: () => void): void {
    const stageMs = Math.min(leftMs, timeoutMsMax);
    this.#stage = setTimeout(() => {
      if (leftMs > stageMs) this.#wait(leftMs - stageMs, fire);
      else fire();
    }, stageMs);
  }
}

/**
 * A clock that moves only when told to.
 *
 * @example
 * ```ts
 * import { ManualClock } from "./clock.ts";
 * import assert from "node:assert/strict";
 *
 * const clock = new ManualClock();
 * let fired = 0;
 * clock.setTimer(100, () => fired++);
 * clock.advance(99);
 * assert.equal(fired, 0);
 * clock.advance(1);
 * assert.equal(fired, 1);
 * ```
 */
export class ManualClock implements Clock {
  #nowMs: number;
  #setByMs = 0;
  #sequence = 0;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly fire: () => void }>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs + this.#setByMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Monotonic time at which the next timer falls due. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#timers.values()) {
      if (next === undefined || dueMs < next) next = dueMs;
    }
    return next;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const id = this.#sequence++;
    this.#timers.set(id, { dueMs: this.#nowMs + Math.max(0, delayMs), fire });
    return { clear: () => this.#timers.delete(id) };
  }

  /** Sets the wall clock ahead, or back, as an operator does: no time passes. */
  setBy(ms: number): void {
    this.#setByMs += ms;
  }

  /** Moves time on and fires what falls due, in order, timers set meanwhile included. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      let next: { id: number; dueMs: number; fire: () => void } | undefined;
      for (const [id, timer] of this.#timers) {
        if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) {
          next = { id, ...timer };
        }
      }
      if (next === undefined) break;
      this.#timers.delete(next.id);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
    }
    this.#nowMs = endMs;
  }
}
