/**
 * What a measure is and what it gives: named figures, each beside the target that it should meet.
 *
 * @module
 */

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** What `value` counts; `×` for a ratio of two things measured in the same run. */
  readonly unit: string;
  /** Absent: shown beside another figure, with no target of its own. */
  readonly target?: Target;
  /** What else was seen, for whoever doubts the figure. */
  readonly detail?: string;
}

export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchOptions {
  /** Smaller counts and fewer rounds: to see that it works, not how fast. */
  readonly quick: boolean;
  /** Tells people what is going on. */
  readonly say: (text: string) => void;
}

export interface Measure {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  run(options: BenchOptions): Promise<Figure[]>;
}

/** Whether a figure is on the right side of its target; `undefined` without one. */
export function met({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity);
}

/** The middle one; the lower of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >> 1];
  if (middle === undefined) throw new RangeError("Cannot take the median of no values");
  return middle;
}

/** Thousands with one decimal: 131.4 k/s. */
export function perSecond(rate: number): string {
  return `${(rate / 1_000).toFixed(1)} k/s`;
}
