/**
 * Randomness as a parameter, so that a test can repeat it.
 *
 * @module
 */

/** Gives numbers 0 ≤ x < 1. */
export type Random = () => number;

/** A repeatable sequence (mulberry32): for jitter and tests, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 32 random bits of the machine's: what nobody can guess, such as the seed of a hash. */
export function random32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
