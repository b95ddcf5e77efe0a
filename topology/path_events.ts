/**
 * What spool and writer tell, turned into books, counters and lines of the log.
 *
 * @module
 */
import type { Ledger } from "../actors/ledger.ts";
import type { SpoolEvents } from "../actors/spool/spool_options.ts";
import type { RefusalWord } from "../actors/writer/delivery.ts";
import type { ReplayProgress } from "../actors/writer/replay.ts";
import type { LaneName, WriterEvents } from "../actors/writer/writer_port.ts";
import type { Histogram } from "../actors/histogram.ts";
import { logger } from "../gateways/log/log.ts";

const log = logger("store");
const spoolLog = logger("spool");

/** See the module. */
export class PathEvents implements SpoolEvents, WriterEvents {
  /** Why nothing can be committed; empty when it can. */
  stalledFor = "";
  /** Readings that the replay has still to write. */
  replayRemaining = 0;
  readonly #store: string;
  readonly #ledger: Ledger;
  readonly #counters: Record<string, number>;
  readonly #storeSeconds: Histogram;
  readonly #onStalled: (stalled: boolean) => void;
  readonly #diskUse: () => string;

  /**
   * `store`: its name. `onStalled` is told when nothing can be committed, and when it can. `diskUse`
   * says what holds the disk.
   */
  constructor(
    store: string,
    ledger: Ledger,
    counters: Record<string, number>,
    storeSeconds: Histogram,
    onStalled: (stalled: boolean) => void,
    diskUse: () => string,
  ) {
    this.#onStalled = onStalled;
    this.#diskUse = diskUse;
    this.#store = store;
    this.#ledger = ledger;
    this.#counters = counters;
    this.#storeSeconds = storeSeconds;
    for (const name of names) counters[name] ??= 0;
  }

  committed(readings: number): void {
    this.#ledger.spooled(readings);
    this.#bump("sluice_spool_commits_total");
  }

  lost(reason: "dropped" | "corrupt", readings: number): void {
    this.#ledger.refusedFromSpool(`spool_${reason}`, readings);
    spoolLog.error(
      reason === "dropped"
        ? "the oldest readings were given up: the spool or its disk is full, and spool.full is drop_oldest"
        : "readings on the disk cannot be read any more",
      { readings },
    );
  }

  stalled(reason: "full" | "no_space" | "failed", detail: string): void {
    const advice = {
      full: "raise spool.bytesMax, or bring the store back",
      no_space: "the disk is full; free some space",
      failed: "the disk does not take it",
    }[reason];
    const holds = reason === "no_space" ? this.#diskUse() : undefined;
    const why = holds === undefined ? detail : `${detail}; ${holds}`;
    this.stalledFor = `the spool takes nothing (${advice}): ${why}`;
    this.#onStalled(true);
    this.#bump("sluice_spool_stalls_total");
    spoolLog.error(
      "the spool takes nothing more: nothing is acknowledged until it does; it is tried again",
      { reason, detail, advice, ...(holds === undefined ? {} : { holds }) },
    );
  }

  resumed(): void {
    this.stalledFor = "";
    this.#onStalled(false);
    spoolLog.info("the spool takes readings again");
  }

  trouble(action: string, cause: unknown): void {
    this.#bump("sluice_spool_troubles_total");
    spoolLog.warn("something on the disk failed; it is tried again", { action, cause });
  }

  stored(readings: number): void {
    this.#ledger.stored(readings);
  }

  deadLettered(reason: RefusalWord, readings: number): void {
    this.#ledger.deadLetteredFromSpool(reason, readings);
  }

  rewritten(readings: number): void {
    this.#bump("sluice_readings_rewritten_total", readings);
  }

  rewriteRefused(readings: number): void {
    this.#bump("sluice_readings_rewrite_refused_total", readings);
  }

  wrote(_lane: LaneName, tookMs: number, bytes: number): void {
    this.#storeSeconds.observe(tookMs / 1_000);
    this.#bump("sluice_store_writes_total");
    this.#bump("sluice_store_bytes_total", bytes);
  }

  storeAway(reason: string): void {
    this.#bump("sluice_store_outages_total");
    log.error("the store does not take readings; they are kept in the spool", {
      store: this.#store,
      reason,
    });
  }

  storeAwayFor(reason: string): void {
    log.error("the store still does not take readings, for another reason", {
      store: this.#store,
      reason,
    });
  }

  storeBack(awayMs: number): void {
    log.info("the store takes readings again", { awayMs: Math.round(awayMs) });
  }

  backlogUnreadable(reason: string): void {
    this.#bump("sluice_spool_troubles_total");
    log.warn("the backlog on the disk cannot be read now; it is tried again", { reason });
  }

  replaying({ written, remaining, elapsedMs }: ReplayProgress): void {
    this.replayRemaining = remaining;
    log.info(remaining === 0 ? "the backlog is written" : "writing the backlog", {
      written,
      remaining,
      elapsedMs: Math.round(elapsedMs),
    });
  }

  #bump(name: string, by = 1): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + by;
  }
}

/** Shown from the start, so that a rate has something to begin at. */
const names = [
  "sluice_spool_commits_total",
  "sluice_spool_stalls_total",
  "sluice_spool_troubles_total",
  "sluice_store_writes_total",
  "sluice_store_bytes_total",
  "sluice_store_outages_total",
  "sluice_readings_rewritten_total",
  "sluice_readings_rewrite_refused_total",
];
