/**
 * What most actors never need: held apart from the cell, so that an idle one stays small.
 *
 * @module
 */
import type { ActorRef, StopReason } from "./actor.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Failure } from "./failure.ts";
import type { RestartWindow } from "./restart_window.ts";
import type { Stash } from "./stash.ts";
import type { Timers } from "./timers.ts";
import { isWatchable, type WatchableRef, type Watcher } from "./watch.ts";

/** The end of an incarnation, and what comes after it. */
export interface Ending {
  readonly reason: StopReason;
  readonly next: "stopped" | "restart" | "quarantined" | "passivated";
  readonly failure: Failure | undefined;
}

/** Optional parts of a cell. Those that belong to one incarnation go with {@linkcode endIncarnation}. */
export class CellExtras {
  /** The last crash. */
  failure: Failure | undefined;
  restarts = 0;
  /** This child's own restarts, where they are counted for each child. */
  window: RestartWindow = [];
  /** Restarts since it last ran long enough, for the backoff. */
  attempts = 0;
  /** Monotonic time of the last restart, in ms. */
  resumedMs = 0;
  ending: Ending | undefined;
  stash: Stash | undefined;
  watchers: Set<Watcher> | undefined;
  timers: Timers | undefined;
  receiveTimeout: ReceiveTimeout | undefined;
  #watching: Map<string, WatchableRef> | undefined;

  watch(ref: ActorRef<never>, watcher: Watcher): void {
    if (!isWatchable(ref)) throw new TypeError(`Cannot watch ${ref.path}: it is no actor`);
    this.#watching ??= new Map();
    if (this.#watching.has(ref.path)) return;
    this.#watching.set(ref.path, ref);
    ref.addWatcher(watcher);
  }

  unwatch(path: string, watcher: Watcher): void {
    this.#watching?.get(path)?.removeWatcher(watcher);
    this.#watching?.delete(path);
  }

  /** Whether the end of `path` is still of interest; it is not any more after this. */
  claimWatch(path: string): boolean {
    return this.#watching?.delete(path) ?? false;
  }

  /** Timers and watches end with the incarnation that asked for them. */
  endIncarnation(watcher: Watcher): void {
    this.timers?.clear();
    this.receiveTimeout?.clear();
    for (const ref of this.#watching?.values() ?? []) ref.removeWatcher(watcher);
    this.timers = this.receiveTimeout = this.#watching = undefined;
  }
}

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
