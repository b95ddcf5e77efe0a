/**
 * Words for many small tables, each a block of a large typed array. A typed array of its own costs
 * three objects and a piece of memory outside of V8's heap, and each of them is a cache miss when
 * there are 100,000.
 *
 * @module
 */

/** A MiB: the system gives it memory only as far as blocks were in use. */
const slabWords = 256 * 1024;

/** Blocks of one size. */
export class Slab {
  readonly words: Uint32Array;
  /** Blocks that are free again. */
  readonly #freed: number[] = [];
  /** From here on none was ever in use. */
  #fresh = 0;

  constructor(readonly blockWords: number) {
    this.words = new Uint32Array(Math.max(1, Math.floor(slabWords / blockWords)) * blockWords);
  }

  /** All blocks are in use. */
  get full(): boolean {
    return this.#freed.length === 0 && this.#fresh === this.words.length;
  }

  /** No block is in use. */
  get empty(): boolean {
    return this.#freed.length * this.blockWords === this.#fresh;
  }

  /** Where a block of zeros begins. Call only while the slab is not {@linkcode full}. */
  take(): number {
    const freed = this.#freed.pop();
    if (freed === undefined) {
      this.#fresh += this.blockWords;
      return this.#fresh - this.blockWords;
    }
    this.words.fill(0, freed, freed + this.blockWords);
    return freed;
  }

  free(at: number): void {
    this.#freed.push(at);
  }
}

/** A block that is in use: `slab.words[at..at + slab.blockWords)`. */
export interface Block {
  readonly slab: Slab;
  readonly at: number;
}

/**
 * Slabs for blocks of a few sizes.
 *
 * @example
 * ```ts
 * import { Slabs } from "./slabs.ts";
 * import assert from "node:assert/strict";
 *
 * const slabs = new Slabs();
 * const { slab, at } = slabs.take(80);
 * slab.words[at] = 7;
 * slabs.free({ slab, at });
 * assert.equal(slabs.take(80).slab.words[at], 0);
 * ```
 */
export class Slabs {
  /** By the size of their blocks: those that have a free one. */
  readonly #open = new Map<number, Slab[]>();
  #wordsTaken = 0;

  /** Bytes of the blocks that are in use. */
  get bytes(): number {
    return this.#wordsTaken * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** A block of zeros. Whoever takes it frees it, once. */
  take(blockWords: number): Block {
    const open = this.#openOf(blockWords);
    let slab = open.at(-1);
    if (slab === undefined) {
      slab = new Slab(blockWords);
      open.push(slab);
    }
    const at = slab.take();
    this.#wordsTaken += blockWords;
    if (slab.full) open.pop();
    return { slab, at };
  }

  /** A slab that is not in use any more is let go of, unless it is the only one with room. */
  free({ slab, at }: Block): void {
    const open = this.#openOf(slab.blockWords);
    if (slab.full) open.push(slab);
    slab.free(at);
    this.#wordsTaken -= slab.blockWords;
    if (slab.empty && open.length > 1) open.splice(open.indexOf(slab), 1);
  }

  #openOf(blockWords: number): Slab[] {
    let open = this.#open.get(blockWords);
    if (open === undefined) {
      open = [];
      this.#open.set(blockWords, open);
    }
    return open;
  }
}
