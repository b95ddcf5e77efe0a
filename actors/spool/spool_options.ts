/**
 * What a spool is given: its limits, its surroundings, and who is told what happens.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import type { SteadyTime } from "../../runtime/steady_time.ts";
import type { Files } from "../segment_log/files.ts";
import type { DiskPressure } from "./disk_pressure.ts";
import type { OwedElsewhere } from "./owed_elsewhere.ts";
import type { SpoolRecord } from "./record.ts";

/** What happens, for counters and the log. */
export interface SpoolEvents {
  /** Readings became durable. */
  committed(readings: number): void;
  /** Readings that were durable are gone: given up by `drop_oldest`, or unreadable. */
  lost(reason: "dropped" | "corrupt", readings: number): void;
  /** Commits fail from now on, until `resumed`. */
  stalled(reason: "full" | "no_space" | "failed", detail: string): void;
  resumed(): void;
  /** Something beside the commits failed; it is tried again. */
  trouble(action: string, cause: unknown): void;
}

/** A second log that is synced in the same step: nothing is durable before it is. */
export interface CommitPart {
  /** It has something to write. */
  readonly dirty: boolean;
  /** Seals and writes it; may be called again after a rejection, and does nothing when clean. */
  commit(): Promise<void>;
  /** The whole step is durable. */
  committed(): void;
}

export interface SpoolOptions {
  readonly files: Files;
  readonly clock: Clock;
  /** What is old goes by it: a clock that is set ahead makes nothing old. */
  readonly time: SteadyTime;
  readonly directory: string;
  /** Spools whose shard is no more, taken over at start. */
  readonly orphans?: readonly string[];
  /** Salts of segments that are not shown to `recovered`: what they hold is known otherwise. */
  readonly told?: ReadonlySet<number>;
  /** Default 64 MiB. */
  readonly segmentBytes?: number;
  readonly bytesMax: number;
  /** Age at which a reading the store has not taken counts as too old. Default: none. */
  readonly ageMaxMs?: number;
  /** What gives way when a limit is reached. Default `backpressure`: nothing is lost. */
  readonly whenFull?: "backpressure" | "drop_oldest";
  /** How long a record stays readable after the store's yes; 0 for a store whose yes is durable. */
  readonly keepMs: number;
  /**
   * Steady time, ms: records that were committed later stay on the disk, without room the newest
   * fingerprints of them. After a crash they tell which readings are known, should they come again;
   * the older ones are written down elsewhere. Default: none is needed for that.
   */
  readonly rememberedUpToMs?: () => number;
  /** A new 32-bit number each time. */
  random32(): number;
  readonly events: SpoolEvents;
  /** Offers a record that has become durable to the writer; false leaves it to the replay. */
  live(record: SpoolRecord): boolean;
  readonly part?: CommitPart;
  /** Shared with the other shards' spools; absent where there is one. */
  readonly owedElsewhere?: OwedElsewhere;
  /** Shared with the other spools of the disk. */
  readonly pressure?: DiskPressure;
  /** Whether so many bytes more leave enough of the disk to others. Default: they do. */
  readonly leavesRoom?: (bytes: number) => boolean;
}
