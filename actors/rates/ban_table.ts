/**
 * Until when whom is banned, in memory that all Workers share: a ban holds in all of them at once.
 *
 * Bounded: a key has its place in one of eight entries. When all eight are of bans that last, the
 * one that would end first makes room.
 *
 * @module
 */

/** Entries that a key may have its place in. */
const ways = 8;
const entries = 16_384;
/** An entry: key, and wall time in ms. */
const entryCells = 2;
const headBytes = 8;
/** A Worker that was ended in the middle of a change leaves its lock behind: it is taken over. */
const spinsMax = 10_000;

/** Bytes of {@linkcode banTableMemory}. */
export const banTableBytes = headBytes + entries * entryCells * Float64Array.BYTES_PER_ELEMENT;

export const banTableMemory = (): SharedArrayBuffer => new SharedArrayBuffer(banTableBytes);

/** One thread's view of it. Keys are those of rate_key.ts; times are wall times in ms. */
export class BanTable {
  /** The lock, and how often a ban was made. */
  readonly #head: Int32Array;
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#cells = new Float64Array(memory, headBytes);
  }

  /** Another one after every ban; 0 while there has been none. */
  get version(): number {
    return Atomics.load(this.#head, 1);
  }

  /** Resolves when the version is another one: at once, when it is already. */
  async changed(version: number): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.#head, 1, version);
    if (async) await value;
  }

  /** When the ban of the key ends; 0 when it is not banned. */
  untilMs(key: number, nowMs: number): number {
    const at = this.#find(key);
    const untilMs = at === undefined ? 0 : this.#cells[at + 1]!;
    return untilMs > nowMs ? untilMs : 0;
  }

  /** Bans until then, whatever was before; a time that is past lifts the ban. */
  set(key: number, untilMs: number): void {
    this.#enter();
    const at = this.#find(key) ?? this.#place(key);
    this.#cells[at + 1] = untilMs;
    this.#cells[at] = key;
    Atomics.add(this.#head, 1, 1);
    Atomics.store(this.#head, 0, 0);
    Atomics.notify(this.#head, 1);
  }

  #find(key: number): number | undefined {
    for (let way = 0, at = firstOf(key); way < ways; way++, at += entryCells) {
      if (this.#cells[at] === key) return at;
    }
    return undefined;
  }

  #place(key: number): number {
    let place = firstOf(key);
    for (let way = 1, at = place + entryCells; way < ways; way++, at += entryCells) {
      if (this.#cells[at + 1]! < this.#cells[place + 1]!) place = at;
    }
    return place;
  }

  #enter(): void {
    for (let spins = 0; spins < spinsMax; spins++) {
      if (Atomics.compareExchange(this.#head, 0, 0, 1) === 0) return;
    }
  }
}

const firstOf = (key: number): number => key % (entries / ways) * ways * entryCells;
