/**
 * One start of a Worker, from its thread to `ready`: what it is at, told when it takes long, and its
 * deadlines. Before a thread has loaded its code it gives no heartbeat, so that has a deadline of
 * its own.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";
import { SlowNotice } from "./slow_notice.ts";
import { Watchdog } from "./worker_watchdog.ts";

/** What a start is at. Times in ms. */
export interface StartWait {
  readonly stage: string;
  /** Since that stage began. */
  readonly stageMs: number;
  /** Since the thread was started. */
  readonly ms: number;
}

export interface WorkerStartOptions {
  readonly clock: Clock;
  /** How long its code may take to load. */
  readonly loadMs: number;
  /** How long all of it may take. */
  readonly readyMs: number;
  /** After this long it is told of for the first time. */
  readonly slowMs: number;
  readonly slow: (wait: StartWait) => void;
  /** A deadline has passed; `why` says which. */
  readonly late: (why: string) => void;
}

/** See the module. */
export class WorkerStart {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #readyTimer: Timer;
  readonly #notice: SlowNotice;
  #loading: Watchdog | undefined;
  #stage = "its code is being loaded";
  #stageSinceMs: number;

  constructor({ clock, loadMs, readyMs, slowMs, slow, late }: WorkerStartOptions) {
    this.#clock = clock;
    this.#startedMs = this.#stageSinceMs = clock.monotonic();
    this.#readyTimer = clock.setTimer(
      readyMs,
      () => late(`was not ready within ${readyMs} ms: ${this.#stage}`),
    );
    // A watchdog knows when this thread itself was asleep, and has not heard what was said.
    this.#loading = new Watchdog(
      clock,
      loadMs,
      () => late(`had not loaded its code after ${loadMs} ms`),
    );
    this.#notice = new SlowNotice(clock, slowMs, () => slow(this.wait));
  }

  get wait(): StartWait {
    const nowMs = this.#clock.monotonic();
    return {
      stage: this.#stage,
      stageMs: nowMs - this.#stageSinceMs,
      ms: nowMs - this.#startedMs,
    };
  }

  /** Its code is loaded: from now on the heartbeat tells whether it is alive. */
  loaded(): void {
    this.#loading?.clear();
    this.#loading = undefined;
    this.enter("its program begins");
  }

  enter(stage: string): void {
    this.#stage = stage;
    this.#stageSinceMs = this.#clock.monotonic();
  }

  /** It is ready, or has ended. */
  clear(): void {
    this.#loading?.clear();
    this.#readyTimer.clear();
    this.#notice.clear();
  }
}
