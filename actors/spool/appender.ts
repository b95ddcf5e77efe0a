/**
 * Takes a sealed record to the disk: makes room for it, and writes first what remains of that which
 * gave way.
 *
 * @module
 */
import { isNoSpace, NoSpaceLeftError } from "../segment_log/no_space.ts";
import type { SegmentLog } from "../segment_log/segment_log.ts";
import { readingsKind, remainsKind, type SpoolRecord } from "./record.ts";
import type { Remains } from "./remains.ts";
import type { Retention } from "./retention.ts";
import type { SpoolOptions } from "./spool_options.ts";

/** See the module. */
export class Appender {
  readonly #log: SegmentLog;
  readonly #retention: Retention;
  readonly #remains: Remains;
  readonly #leavesRoom: (bytes: number) => boolean;

  constructor(
    log: SegmentLog,
    retention: Retention,
    remains: Remains,
    leavesRoom: SpoolOptions["leavesRoom"] = () => true,
  ) {
    this.#leavesRoom = leavesRoom;
    this.#log = log;
    this.#retention = retention;
    this.#remains = remains;
  }

  /**
   * Resolves with the record's sequence when it is on the disk. Rejects when it is not: with a
   * `SpoolFullError` when a limit is reached, else with what the disk said.
   */
  async append(record: SpoolRecord): Promise<number> {
    try {
      this.#retention.makeRoom(record.frame.length);
    } finally {
      await this.appendRemains();
    }
    for (;;) {
      try {
        if (!this.#leavesRoom(record.frame.length)) {
          throw new NoSpaceLeftError("What is left of the disk is for the embedded store");
        }
        return await this.#log.commit(record.frame, readingsKind, record.count);
      } catch (cause) {
        if (!isNoSpace(cause) || !this.#retention.giveWay()) throw cause;
        await this.appendRemains();
      }
    }
  }

  /** Writes what is carried and on no disk. Where there is no room for it, it waits for the next commit. */
  async appendRemains(): Promise<void> {
    const sealed = this.#remains.seal();
    if (sealed === undefined) return;
    try {
      const sequence = await this.#log.commit(sealed.record.frame, remainsKind, 0);
      this.#remains.housed(sealed, sequence);
    } catch (cause) {
      if (!isNoSpace(cause)) throw cause;
    }
  }
}
