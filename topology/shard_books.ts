/**
 * The books of one shard over all of its incarnations: what Workers that died had counted, closed
 * so that the conservation law goes on to hold, plus what the living one counts.
 *
 * @module
 */
import { emptySnapshot } from "../actors/empty_snapshot.ts";
import { addHistograms } from "../actors/histogram.ts";
import { closeBooks, ledgerMemory, readBooks } from "../actors/ledger.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";

type Counts = Readonly<Record<string, number>>;

/** See the module. */
export class ShardBooks {
  /** What the Worker writes its totals to; it outlives the Worker. */
  readonly memory: SharedArrayBuffer = ledgerMemory();
  /** What earlier incarnations counted for good. */
  #closed: ShardSnapshot | undefined;
  /** The last that was heard of the living one. */
  #last: ShardSnapshot | undefined;
  /** An incarnation died and its successor has not said what it found in the spool. */
  #died = false;

  /** Whether the next incarnation goes on with books that are open. */
  get adopts(): boolean {
    return this.#died;
  }

  /** A snapshot of the living incarnation: gives it with everything before added. */
  take(snapshot: ShardSnapshot): ShardSnapshot {
    // The books of the one before are still open: the two are not added, nor mixed up.
    if (this.#died) return { ...this.lastKnown ?? nothingYet, notReady: snapshot.notReady };
    this.#last = snapshot;
    return this.#closed === undefined ? snapshot : addCounters(snapshot, this.#closed);
  }

  /** What can be said while no Worker answers: the last that was heard. */
  get lastKnown(): ShardSnapshot | undefined {
    return this.#last === undefined || this.#closed === undefined
      ? this.#last
      : addCounters(this.#last, this.#closed);
  }

  /** The Worker is dead. Its memory keeps the totals until {@linkcode ShardBooks.reopened}. */
  died(): void {
    this.#died = true;
  }

  /** The successor found `recovered` readings in the spool, and now counts for itself. */
  reopened(recovered: number): void {
    if (!this.#died) return;
    this.#died = false;
    this.#close(recovered);
  }

  /** To be called before a successor starts: it clears the shared memory. */
  freeze(): void {
    if (!this.#died) return;
    const totals = new Float64Array(new Float64Array(this.memory));
    if (this.#dead !== undefined) {
      // A successor died, too, before it told: what it found in the spool stands in its books.
      if (totals.every((total) => total === 0)) return;
      this.#close(readBooks(totals).adopted);
    }
    this.#dead = totals;
  }

  /** Totals of the dead that are not closed. */
  #dead: Float64Array<ArrayBuffer> | undefined;

  #close(recovered: number): void {
    if (this.#dead === undefined) return;
    const last = this.#last ?? nothingYet;
    const { books, lost } = closeBooks(readBooks(this.#dead), recovered);
    const reasons = last.settled;
    const deadLettered = withRest(reasons.deadLettered, books.deadLettered, "shard_lost");
    const refused = withRest(reasons.refused, books.refused, "shard_lost");
    const closed: ShardSnapshot = {
      ...last,
      received: books.received,
      settled: { stored: books.stored, duplicate: books.duplicate, deadLettered, refused },
      counters: { ...last.counters, sluice_readings_sent_again_total: lost },
    };
    this.#closed = this.#closed === undefined ? closed : addCounters(closed, this.#closed);
    this.#last = undefined;
    this.#dead = undefined;
  }
}

/** An incarnation that died before anybody asked it. */
const nothingYet = emptySnapshot(0);

/** What the total has beyond the reasons that are known. */
function withRest(reasons: Counts, total: number, rest: string): Counts {
  const known = Object.values(reasons).reduce((sum, n) => sum + n, 0);
  return total > known ? { ...reasons, [rest]: (reasons[rest] ?? 0) + total - known } : reasons;
}

const add = (a: Counts, b: Counts): Record<string, number> => {
  const sum: Record<string, number> = { ...a };
  for (const [key, value] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + value;
  return sum;
};

/** The first snapshot with the second one's counters added; gauges are the first one's. */
function addCounters(live: ShardSnapshot, before: ShardSnapshot): ShardSnapshot {
  return {
    ...live,
    received: add(live.received, before.received),
    settled: {
      stored: live.settled.stored + before.settled.stored,
      duplicate: live.settled.duplicate + before.settled.duplicate,
      deadLettered: add(live.settled.deadLettered, before.settled.deadLettered),
      refused: add(live.settled.refused, before.settled.refused),
    },
    settleSeconds: addHistograms(live.settleSeconds, before.settleSeconds),
    storeSeconds: addHistograms(live.storeSeconds, before.storeSeconds),
    restarts: add(live.restarts, before.restarts),
    counters: add(live.counters, before.counters),
  };
}
