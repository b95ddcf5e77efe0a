/**
 * What is known of everybody who sends under the same rates: a table in memory that all Workers
 * share, so that a sender over many connections is one sender, whatever shards accept them.
 *
 * Bounded: a key has its place in one of eight entries. An entry whose owner is rested says as
 * much as none, so it is the first to go; only when all eight have sent just now does one of them,
 * the most rested, begin anew.
 *
 * @module
 */
import { type RateLimit, spend, waitFor } from "./rate_limit.ts";

/** Entries that a key may have its place in. */
const ways = 8;
/** An entry: key, when all of its limits are rested, and that of each. */
const headCells = 2;
/** A Worker that was ended in the middle of a change leaves its lock behind: it is taken over. */
const spinsMax = 10_000;

/** Entries of a table, unless it is made for a test. */
export const rateEntries = 65_536;

/** Bytes of a table of so many limits. */
export function rateTableBytes(limits: number, entries = rateEntries): number {
  return entries * (headCells + limits) * Float64Array.BYTES_PER_ELEMENT +
    entries / ways * Int32Array.BYTES_PER_ELEMENT;
}

/** Memory for {@linkcode RateTable}. `entries` is a multiple of 16. */
export function rateTableMemory(limits: number, entries = rateEntries): SharedArrayBuffer {
  return new SharedArrayBuffer(rateTableBytes(limits, entries));
}

/** One Worker's view of it. Times are of one clock for all Workers, in ms. */
export class RateTable {
  readonly #limits: readonly RateLimit[];
  readonly #pointsFrom: number;
  readonly #stride: number;
  readonly #sets: number;
  readonly #cells: Float64Array;
  readonly #locks: Int32Array;

  /**
   * Of a message, `messages` and `points` are spent one each; of its further points, `points`. An
   * entry has room for so many limits as `slots` says; those of the table may be fewer.
   */
  constructor(
    memory: SharedArrayBuffer,
    messages: readonly RateLimit[],
    points: readonly RateLimit[] = [],
    slots = messages.length + points.length,
  ) {
    this.#limits = [...messages, ...points];
    this.#pointsFrom = messages.length;
    this.#stride = headCells + slots;
    const entryBytes = rateTableBytes(slots, ways) / ways;
    const entries = memory.byteLength / entryBytes;
    this.#sets = entries / ways;
    this.#cells = new Float64Array(memory, 0, entries * this.#stride);
    this.#locks = new Int32Array(memory, this.#cells.byteLength, this.#sets);
  }

  /** Spends one of everything, and gives 0; or spends nothing, and gives how long to wait in ms. */
  take(key: number, nowMs: number): number {
    const set = key % this.#sets;
    this.#enter(set);
    const at = this.#entry(set, key);
    const limits = this.#limits;
    let waitMs = 0;
    for (let i = 0; i < limits.length; i++) {
      const own = waitFor(limits[i]!, this.#cells[at + headCells + i]!, nowMs, 1);
      if (own > waitMs) waitMs = own;
    }
    if (waitMs === 0) this.#spend(at, 0, 1, nowMs);
    this.#leave(set);
    return waitMs;
  }

  /** Takes back one `take`: it came to nothing. */
  giveBack(key: number, nowMs: number): void {
    const set = key % this.#sets;
    this.#enter(set);
    this.#spend(this.#entry(set, key), 0, -1, nowMs);
    this.#leave(set);
  }

  /** Spends so many points more, whether they are there or not: what lacks delays the next. */
  charge(key: number, points: number, nowMs: number): void {
    const set = key % this.#sets;
    this.#enter(set);
    this.#spend(this.#entry(set, key), this.#pointsFrom, points, nowMs);
    this.#leave(set);
  }

  /** How long the next message would have to wait, in ms. Changes nothing. */
  waitMs(key: number, nowMs: number): number {
    let at = key % this.#sets * ways * this.#stride;
    for (let way = 0; way < ways; way++, at += this.#stride) {
      if (this.#cells[at] !== key) continue;
      return Math.max(
        ...this.#limits.map((limit, i) =>
          waitFor(limit, this.#cells[at + headCells + i]!, nowMs, 1)
        ),
      );
    }
    return 0;
  }

  #spend(at: number, from: number, count: number, nowMs: number): void {
    const cells = this.#cells;
    const limits = this.#limits;
    let restedMs = 0;
    for (let i = 0; i < limits.length; i++) {
      const cell = at + headCells + i;
      if (i >= from) cells[cell] = spend(limits[i]!, cells[cell]!, nowMs, count);
      if (cells[cell]! > restedMs) restedMs = cells[cell]!;
    }
    cells[at + 1] = restedMs;
  }

  /** Where the key is, or the place of the most rested one of its set. */
  #entry(set: number, key: number): number {
    const cells = this.#cells;
    let at = set * ways * this.#stride;
    let place = at;
    for (let way = 0; way < ways; way++, at += this.#stride) {
      if (cells[at] === key) return at;
      if (cells[at + 1]! < cells[place + 1]!) place = at;
    }
    cells.fill(0, place, place + this.#stride);
    cells[place] = key;
    return place;
  }

  #enter(set: number): void {
    for (let spins = 0; spins < spinsMax; spins++) {
      if (Atomics.compareExchange(this.#locks, set, 0, 1) === 0) return;
    }
  }

  #leave(set: number): void {
    Atomics.store(this.#locks, set, 0);
  }
}
