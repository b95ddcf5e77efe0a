/**
 * Deletes the oldest points of the embedded store by age or by size, a slice at a time so that
 * writing never waits long. Without a limit nothing is ever deleted.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BelievedTime } from "../../runtime/believed_time.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { SeriesIndex } from "./series_index.ts";

/** What is kept; an absent limit is none. */
export interface RetentionLimits {
  readonly ageMaxMs?: number;
  /** Size of the points and their names. The file itself does not shrink: free pages are reused. */
  readonly bytesMax?: number;
}

/** Rows deleted before the time budget is looked at again. */
const rowsAtOnce = 2_000;
/** By age: a point may outlive its age by this share of it, or by this time. */
const ageShare = 0.01;
const agePauseMs = 30_000;
/** By size: the oldest twentieth of the whole span goes at a time. */
const spanShare = 20n;
const nsPerMs = 1_000_000n;
const nsPerSecond = 1_000_000_000n;

/** A series and the device whose memory of it ends with it. */
interface SeriesRow {
  readonly id: number;
  readonly device: string;
}

/** Works through all series again and again; {@linkcode Retention.sweep} does a slice of that. */
export class Retention {
  readonly #database: DatabaseSync;
  readonly #index: SeriesIndex;
  readonly #limits: RetentionLimits;
  readonly #clock: Clock;
  readonly #time: BelievedTime;
  readonly #nextSeries: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteSeries: readonly StatementSync[];
  #work: Iterator<void> | undefined;
  /** Monotonic time before which no age is looked at: going through all series has its price. */
  #nextAgeMs = -Infinity;

  constructor(
    database: DatabaseSync,
    index: SeriesIndex,
    limits: RetentionLimits,
    clock: Clock,
  ) {
    this.#database = database;
    this.#index = index;
    this.#limits = limits;
    this.#clock = clock;
    this.#time = new BelievedTime(clock);
    this.#nextSeries = database.prepare(
      "SELECT id, device FROM series WHERE id > ? ORDER BY id LIMIT 1",
    );
    this.#oldest = database.prepare(
      "SELECT time FROM points WHERE series = ? ORDER BY time LIMIT 1",
    );
    this.#oldest.setReadBigInts(true);
    this.#delete = database.prepare(
      `DELETE FROM points WHERE series = :series AND time < min(:before, coalesce(
         (SELECT time FROM points WHERE series = :series ORDER BY time LIMIT 1 OFFSET ${rowsAtOnce}),
         :before))`,
    );
    this.#deleteSeries = [
      database.prepare("DELETE FROM metric WHERE series = ?"),
      database.prepare("DELETE FROM series WHERE id = ?"),
    ];
  }

  /** Whether there is anything to do, ever. */
  get limited(): boolean {
    return this.#limits.ageMaxMs !== undefined || this.#limits.bytesMax !== undefined;
  }

  /** Bytes that hold data. */
  get usedBytes(): number {
    const pragma = (name: string) => Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name]);
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  }

  /**
   * Deletes for at most about `budgetMs`, in one transaction. True when there is more to do now.
   * Throws what SQLite throws; what this slice deleted is then there again.
   */
  sweep(budgetMs: number): boolean {
    const work = this.#work ?? this.#pass();
    const endMs = this.#clock.monotonic() + budgetMs;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      let done = false;
      while (!done && this.#clock.monotonic() < endMs) done = work.next().done === true;
      this.#database.exec("COMMIT");
      this.#work = done ? undefined : work;
      return !done || this.#isTooLarge;
    } catch (cause) {
      this.#work = undefined;
      this.#nextAgeMs = -Infinity;
      this.#index.forget();
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  get #isTooLarge(): boolean {
    return this.usedBytes > (this.#limits.bytesMax ?? Infinity);
  }

  *#pass(): Iterator<void> & Iterable<void> {
    const nowNs = BigInt(this.#time.now()) * nsPerMs;
    const monotonicMs = this.#clock.monotonic();
    const { ageMaxMs } = this.#limits;
    if (ageMaxMs !== undefined && monotonicMs >= this.#nextAgeMs) {
      this.#nextAgeMs = monotonicMs + Math.max(ageMaxMs * ageShare, agePauseMs);
      yield* this.#deleteBefore(nowNs - BigInt(ageMaxMs) * nsPerMs);
    }
    if (!this.#isTooLarge) return;
    const oldest = yield* this.#oldestTime();
    if (oldest === undefined) return;
    const span = nowNs > oldest ? nowNs - oldest : 0n;
    const step = span / spanShare;
    yield* this.#deleteBefore(oldest + (step > nsPerSecond ? step : nsPerSecond));
  }

  *#deleteBefore(before: bigint): Generator<void, void> {
    for (const { id, device } of this.#allSeries()) {
      yield;
      while (this.#delete.run({ series: id, before }).changes >= rowsAtOnce) yield;
      if (this.#oldest.get(id) !== undefined) continue;
      for (const statement of this.#deleteSeries) statement.run(id);
      this.#index.forgetDevice(device);
    }
  }

  *#oldestTime(): Generator<void, bigint | undefined> {
    let oldest: bigint | undefined;
    for (const { id } of this.#allSeries()) {
      yield;
      const time = this.#oldest.get(id)?.["time"];
      if (typeof time === "bigint" && (oldest === undefined || time < oldest)) oldest = time;
    }
    return oldest;
  }

  /** By id, looked up one by one: the table may change between two slices. */
  *#allSeries(): Generator<SeriesRow, void> {
    for (let id = 0;;) {
      const row = this.#nextSeries.get(id);
      if (row === undefined) return;
      id = Number(row["id"]);
      yield { id, device: String(row["device"]) };
    }
  }
}
