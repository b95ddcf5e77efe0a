/**
 * What lasts as long as the cell and most never have: held apart, so that an idle one stays small.
 *
 * @module
 */
import type { StopReason } from "./actor.ts";
import type { Failure } from "./failure.ts";
import type { RestartWindow } from "./restart_window.ts";
import type { Watcher } from "./watch.ts";

/** The end of an incarnation, and what comes after it. */
export interface Ending {
  readonly reason: StopReason;
  readonly next: "stopped" | "restart" | "quarantined" | "passivated";
  readonly failure: Failure | undefined;
}

const noRestarts: RestartWindow = [];

/** Optional parts of a cell. */
export class CellExtras {
  /** The last crash. */
  failure: Failure | undefined;
  restarts = 0;
  /** Messages that were answered `full`. */
  refused = 0;
  /** This child's own restarts, where they are counted for each child. */
  window: RestartWindow = noRestarts;
  /** Restarts since it last ran long enough, for the backoff. */
  attempts = 0;
  /** Monotonic time of the last restart, in ms. */
  resumedMs = 0;
  ending: Ending | undefined;
  watchers: Set<Watcher> | undefined;
}
