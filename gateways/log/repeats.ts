/**
 * Keeps an entry that comes again and again from drowning the others: a few pass in each period,
 * the rest are counted, and the count is told.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { LogEntry } from "./format.ts";

/** How many entries of one kind pass, and of how many kinds it keeps account. */
export interface RepeatLimits {
  readonly perPeriod: number;
  readonly periodMs: number;
  readonly kindsMax: number;
}

interface Period {
  readonly first: LogEntry;
  readonly timer: Timer;
  passed: number;
  held: number;
}

const defaults: RepeatLimits = { perPeriod: 5, periodMs: 10_000, kindsMax: 1_000 };

/** Entries are of one kind when level, logger and message are equal; fields may differ. */
export class RepeatLimiter {
  readonly #periods = new Map<string, Period>();
  readonly #clock: Clock;
  readonly #write: (entry: LogEntry) => void;
  readonly #limits: RepeatLimits;

  constructor(clock: Clock, write: (entry: LogEntry) => void, limits = defaults) {
    this.#clock = clock;
    this.#write = write;
    this.#limits = limits;
  }

  /** Writes the entry, or holds it back and counts it. */
  take(entry: LogEntry): void {
    const kind = `${entry.level} ${entry.logger} ${entry.message}`;
    const period = this.#periods.get(kind) ?? this.#begin(kind, entry);
    if (period === undefined || period.passed < this.#limits.perPeriod) {
      if (period !== undefined) period.passed++;
      this.#write(entry);
    } else {
      period.held++;
    }
  }

  /** A kind beyond the limit gets no period and passes: rather a full log than a lost entry. */
  #begin(kind: string, first: LogEntry): Period | undefined {
    if (this.#periods.size >= this.#limits.kindsMax) return undefined;
    const timer = this.#clock.setTimer(this.#limits.periodMs, () => this.#end(kind));
    const period: Period = { first, timer, passed: 0, held: 0 };
    this.#periods.set(kind, period);
    return period;
  }

  /** Tells what is held back, as before the process ends. */
  flush(): void {
    for (const kind of [...this.#periods.keys()]) this.#end(kind);
  }

  #end(kind: string): void {
    const period = this.#periods.get(kind);
    this.#periods.delete(kind);
    period?.timer.clear();
    if (period === undefined || period.held === 0) return;
    this.#write({
      ...period.first,
      atMs: this.#clock.now(),
      fields: { heldBack: period.held, forMs: this.#limits.periodMs },
    });
  }
}
