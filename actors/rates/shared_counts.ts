/**
 * How many there are of each key, over all Workers: every Worker counts in a column of its own,
 * which its successor clears. Keys share places by chance, two in 65,536 at a time; then they are
 * counted together. Beside them a number that counts up, for who came later.
 *
 * @module
 */

const places = 65_536;
const turnBytes = BigUint64Array.BYTES_PER_ELEMENT;
const none: readonly number[] = [];

/** Bytes of {@linkcode sharedCountsMemory}. */
export const sharedCountsBytes = (workers: number): number =>
  workers * places * Uint32Array.BYTES_PER_ELEMENT + turnBytes;

export const sharedCountsMemory = (workers: number): SharedArrayBuffer =>
  new SharedArrayBuffer(sharedCountsBytes(workers));

/** One Worker's view; there is one at a time. */
export class SharedCounts {
  readonly #all: Uint32Array;
  readonly #own: Uint32Array;
  readonly #worker: number;
  readonly #turns: BigUint64Array;

  constructor(memory: SharedArrayBuffer, worker: number) {
    const countsBytes = memory.byteLength - turnBytes;
    this.#all = new Uint32Array(memory, 0, countsBytes / Uint32Array.BYTES_PER_ELEMENT);
    this.#turns = new BigUint64Array(memory, countsBytes, 1);
    this.#worker = worker;
    this.#own = this.#all.subarray(worker * places, (worker + 1) * places).fill(0);
  }

  of(key: number): number {
    let sum = 0;
    for (let at = key % places; at < this.#all.length; at += places) {
      sum += Atomics.load(this.#all, at);
    }
    return sum;
  }

  /**
   * The other Workers that have some of it, or of a key in the same place. Of two that add a key and
   * then ask, one hears of the other at least.
   */
  elsewhere(key: number): readonly number[] {
    let found: number[] | undefined;
    const { length } = this.#all;
    for (let at = key % places, worker = 0; at < length; at += places, worker++) {
      if (worker !== this.#worker && Atomics.load(this.#all, at) > 0) (found ??= []).push(worker);
    }
    return found ?? none;
  }

  /** Higher than whatever any Worker was given before. */
  turn(): number {
    return Number(Atomics.add(this.#turns, 0, 1n)) + 1;
  }

  add(key: number, count = 1): void {
    Atomics.add(this.#own, key % places, count);
  }

  remove(key: number): void {
    Atomics.sub(this.#own, key % places, 1);
  }
}
