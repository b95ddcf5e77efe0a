/**
 * What a sender is called in a {@linkcode RateTable}: a number of 53 bits, never 0. With a random
 * seed nobody can choose a name that spends another one's rate.
 *
 * @module
 */
import { mix } from "../fingerprint.ts";

/** Hashes a name. Equal in all Workers that have the seed. */
export function rateKey(name: string, seed: number): number {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ mix(seed);
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = mix(a ^ (b >>> 16));
  b = mix(b ^ (a >>> 13));
  return (b & 0x1fffff) * 0x1_0000_0000 + a || 1;
}
