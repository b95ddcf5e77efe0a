/**
 * Which keys there are, over all Workers: every Worker keeps its own in a column that the others
 * read, and that its successor clears. Keys are known by 32 bits of a hash with a secret seed: that
 * one is taken for another happens once in thousands of millions of questions, and nobody can choose
 * such keys.
 *
 * @module
 */
import { rateKey } from "./rate_key.ts";

const columnBytes = (keysMax: number): number => 2 * keysMax * Int32Array.BYTES_PER_ELEMENT;

/** Bytes of {@linkcode sharedKeysMemory}. */
export const sharedKeysBytes = (workers: number, keysMax: number): number =>
  workers * columnBytes(keysMax);

/** For `keysMax` keys of each Worker. */
export const sharedKeysMemory = (workers: number, keysMax: number): SharedArrayBuffer =>
  new SharedArrayBuffer(sharedKeysBytes(workers, keysMax));

/** One Worker's view; there is one at a time. A key may be there more than once. */
export class SharedKeys {
  /** Of all Workers, a table with linear probing each; 0: nothing. */
  readonly #columns: readonly Int32Array[];
  readonly #own: Int32Array;
  readonly #seed: number;
  #size = 0;

  constructor(memory: SharedArrayBuffer, workers: number, worker: number, seed: number) {
    const places = memory.byteLength / Int32Array.BYTES_PER_ELEMENT / workers;
    this.#columns = Array.from(
      { length: workers },
      (_, i) => new Int32Array(memory, i * places * Int32Array.BYTES_PER_ELEMENT, places),
    );
    this.#own = this.#columns[worker]!.fill(0);
    this.#seed = seed;
  }

  /** A key that another Worker moves in this moment may be overlooked. */
  has(key: string): boolean {
    const print = this.#printOf(key);
    return this.#columns.some((column) => find(column, print) !== undefined);
  }

  /** False: there are as many as may be. */
  add(key: string): boolean {
    const { length } = this.#own;
    if (2 * this.#size >= length) return false;
    const print = this.#printOf(key);
    let at = homeOf(print, length);
    while (this.#own[at] !== 0) at = (at + 1) % length;
    Atomics.store(this.#own, at, print);
    this.#size++;
    return true;
  }

  /** Once less; nothing where it is not. */
  remove(key: string): void {
    const own = this.#own;
    const { length } = own;
    let gap = find(own, this.#printOf(key));
    if (gap === undefined) return;
    this.#size--;
    // Those behind it that it kept from their place move up: first there, then away from here.
    for (let at = (gap + 1) % length; own[at] !== 0; at = (at + 1) % length) {
      const print = own[at]!;
      const far = (at - homeOf(print, length) + length) % length;
      if (far < (at - gap + length) % length) continue;
      Atomics.store(own, gap, print);
      gap = at;
    }
    Atomics.store(own, gap, 0);
  }

  #printOf(key: string): number {
    return rateKey(key, this.#seed) | 0 || 1;
  }
}

const spread = 0x9e3779b1;

/** Follows from the print, so that what moves finds its way. */
const homeOf = (print: number, length: number): number => (Math.imul(print, spread) >>> 0) % length;

function find(column: Int32Array, print: number): number | undefined {
  const { length } = column;
  let at = homeOf(print, length);
  for (let tries = 0; tries < length; tries++) {
    const there = Atomics.load(column, at);
    if (there === print) return at;
    if (there === 0) return undefined;
    at = (at + 1) % length;
  }
  return undefined;
}
