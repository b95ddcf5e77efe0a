/**
 * An actor's own timers, by key. A timer that was cancelled or replaced is never delivered, not
 * even when it fired already and waits before the mailbox.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

export interface TimerEntry {
  readonly key: string;
  readonly message: unknown;
  readonly timer: Timer;
}

/** The timers of one incarnation. */
export class Timers {
  readonly #clock: Clock;
  readonly #fired: (entry: TimerEntry) => void;
  readonly #entries = new Map<string, TimerEntry>();

  constructor(clock: Clock, fired: (entry: TimerEntry) => void) {
    this.#clock = clock;
    this.#fired = fired;
  }

  start(key: string, delayMs: number, message: unknown): void {
    this.cancel(key);
    const timer = this.#clock.setTimer(delayMs, () => this.#fired(entry));
    const entry: TimerEntry = { key, message, timer };
    this.#entries.set(key, entry);
  }

  cancel(key: string): void {
    this.#entries.get(key)?.timer.clear();
    this.#entries.delete(key);
  }

  /** Whether a fired entry is still wanted; it is used up by that. */
  claim(entry: TimerEntry): boolean {
    return this.#entries.get(entry.key) === entry && this.#entries.delete(entry.key);
  }

  clear(): void {
    for (const entry of this.#entries.values()) entry.timer.clear();
    this.#entries.clear();
  }
}
