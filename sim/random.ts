/**
 * Randomness that a seed decides, so that a run can be had again.
 *
 * @module
 */

/** Mixes 32 bits so that each bit of the input changes half of the output (MurmurHash3's fmix32). */
export function mix32(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A stream of numbers that looks random.
 *
 * @example
 * ```ts
 * import { Random } from "./random.ts";
 * import assert from "node:assert/strict";
 *
 * const a = new Random(7);
 * const b = new Random(7);
 * assert.equal(a.next(), b.next());
 * ```
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = mix32(seed ^ 0x9e37_79b9);
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0; // Weyl sequence, as in SplitMix
    return mix32(this.#state) / 0x1_0000_0000;
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** Normally distributed with mean 0 and deviation 1 (Box-Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** An independent stream, the same for the same seed and `number`. */
  fork(number: number): Random {
    return new Random(mix32(this.#state + Math.imul(number + 1, 0x85eb_ca6b)));
  }
}
