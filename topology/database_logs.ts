/**
 * The write-ahead logs of the databases beside the spools. A log keeps the room it has had for the
 * next changes, which on a small disk is most of it: when a spool finds no room, each log is written
 * back into its database and gives its room up.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { DiskPressure } from "../actors/spool/disk_pressure.ts";
import type { Clock, Timer } from "../runtime/clock.ts";

export interface DatabaseLogsOptions {
  readonly pressure: Pick<DiskPressure, "take">;
  /** The databases; those that are not there are left out. */
  readonly files: readonly string[];
  readonly clock: Clock;
}

const lookMs = 1_000;
/** How long to wait for who reads or writes: it is tried again while the disk is full. */
const busyMs = 20;

/** See the module. */
export class DatabaseLogs {
  readonly #options: DatabaseLogsOptions;
  #timer: Timer;

  constructor(options: DatabaseLogsOptions) {
    this.#options = options;
    this.#timer = this.#later();
  }

  stop(): void {
    this.#timer.clear();
  }

  #later(): Timer {
    return this.#options.clock.setTimer(lookMs, () => {
      if (this.#options.pressure.take()) this.#options.files.forEach(empty);
      this.#timer = this.#later();
    });
  }
}

/** Never throws: a log that stays is no worse than before, and whoever writes to it says so. */
function empty(file: string): void {
  try {
    if (Deno.statSync(`${file}-wal`).size === 0) return;
    using database = new DatabaseSync(file);
    database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA wal_checkpoint(TRUNCATE)`);
  } catch { // It is not there, is in use, or its database would have to grow.
  }
}
