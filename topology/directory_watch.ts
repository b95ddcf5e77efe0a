/**
 * Notices when the data directory is deleted, moved or replaced while the service runs. What is open
 * of it can be written to all the same, and nobody would ever find that: what is acknowledged then
 * would be lost with the next start, in silence.
 *
 * @module
 */
import type { DirectoryLock } from "../actors/segment_log/lock.ts";
import type { Clock, Timer } from "../runtime/clock.ts";

const lookMs = 1_000;

/** See the module. Tells it once. */
export class DirectoryWatch {
  readonly #lock: Pick<DirectoryLock, "isThere">;
  readonly #clock: Clock;
  readonly #gone: () => void;
  #timer: Timer;

  constructor(lock: Pick<DirectoryLock, "isThere">, clock: Clock, gone: () => void) {
    this.#lock = lock;
    this.#clock = clock;
    this.#gone = gone;
    this.#timer = this.#later();
  }

  stop(): void {
    this.#timer.clear();
  }

  #later(): Timer {
    return this.#clock.setTimer(lookMs, () => {
      if (this.#lock.isThere) this.#timer = this.#later();
      else this.#gone();
    });
  }
}
