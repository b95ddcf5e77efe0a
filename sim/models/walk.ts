/**
 * A value that wanders about a mean, as temperatures and batteries do (Ornstein-Uhlenbeck).
 *
 * @module
 */
import type { Random } from "../random.ts";

/** How a value behaves. */
export interface WalkSpec {
  readonly mean: number;
  /** Standard deviation of one step. */
  readonly step: number;
  /** Share of the way back to the mean that each step goes, 0 to 1. */
  readonly pull: number;
  readonly min: number;
  readonly max: number;
  readonly decimals: number;
}

export class Walk {
  readonly #spec: WalkSpec;
  readonly #random: Random;
  #value: number;

  /** Begins somewhere near the mean. */
  constructor(spec: WalkSpec, random: Random) {
    this.#spec = spec;
    this.#random = random;
    this.#value = spec.mean + random.normal() * spec.step * 3;
  }

  next(): number {
    const { mean, step, pull, min, max, decimals } = this.#spec;
    this.#value += (mean - this.#value) * pull + this.#random.normal() * step;
    this.#value = Math.min(max, Math.max(min, this.#value));
    return Number(this.#value.toFixed(decimals));
  }
}
