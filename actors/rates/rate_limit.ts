/**
 * How much may come in how much time, as text (`"20:1,600:60"`: 20 in a second and 600 in a minute)
 * and as a decision.
 *
 * The decision is GCRA, a token bucket whose whole state is one number: the time at which its owner
 * will be as rested as one who never sent. It guarantees two things, checked against a log of every
 * message: who never sends more than `count` in any `periodMs` is never made to wait, and nobody
 * gets more than `count · (1 + t / periodMs)` in any time `t`.
 *
 * @module
 */

/** One part of a rate. */
export interface RateLimit {
  readonly count: number;
  readonly periodMs: number;
}

/** Parts of one rate: each costs memory for every sender. */
export const ratePartsMax = 4;
const countMax = 1_000_000_000;
const secondsMax = 86_400;
/** What sums of fractions may be off by. */
const roundedPerMs = 1_000;
const roundingMs = 1 / roundedPerMs;

/**
 * Reads a rate.
 *
 * @throws {RangeError} naming the part that is wrong, and what is allowed.
 *
 * @example
 * ```ts
 * import { parseRate } from "./rate_limit.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseRate("20:1,600:60"), [
 *   { count: 20, periodMs: 1_000 },
 *   { count: 600, periodMs: 60_000 },
 * ]);
 * assert.throws(() => parseRate("20/s"), /"20\/s" is no count:seconds/);
 * ```
 */
export function parseRate(text: string): readonly RateLimit[] {
  const limits = text.split(",").map(parsePart);
  if (limits.length > ratePartsMax) {
    throw new RangeError(`a rate has ${ratePartsMax} parts at most, this has ${limits.length}`);
  }
  if (new Set(limits.map(({ periodMs }) => periodMs)).size < limits.length) {
    throw new RangeError(`${JSON.stringify(text)} names one time twice`);
  }
  return limits;
}

function parsePart(part: string): RateLimit {
  const [, count, seconds] = /^\s*(\d{1,10}):(\d{1,5})\s*$/.exec(part) ?? [];
  const limit = { count: Number(count), periodMs: Number(seconds) * 1_000 };
  if (!(limit.count >= 1 && limit.count <= countMax)) throw notAPart(part);
  if (!(limit.periodMs >= 1_000 && limit.periodMs <= secondsMax * 1_000)) throw notAPart(part);
  return limit;
}

const notAPart = (part: string): RangeError =>
  new RangeError(
    `${JSON.stringify(part)} is no count:seconds, such as 20:1, with a count from 1 to ` +
      `${countMax} and from 1 to ${secondsMax} seconds`,
  );

/**
 * When its owner will be rested after sending `count` now, who otherwise were rested at `restedMs`.
 */
export function spend(
  limit: RateLimit,
  restedMs: number,
  nowMs: number,
  count: number,
): number {
  return Math.max(restedMs, nowMs) + count * limit.periodMs / limit.count;
}

/**
 * How long whoever is rested at `restedMs` must wait before sending `count`; 0: not at all. What
 * sums are off by is not told on: 6 s are 6,000 ms, which nobody rounds up to 7 s.
 */
export function waitFor(
  limit: RateLimit,
  restedMs: number,
  nowMs: number,
  count: number,
): number {
  const waitMs = spend(limit, restedMs, nowMs, count) - nowMs - limit.periodMs;
  return waitMs > roundingMs ? Math.round(waitMs * roundedPerMs) / roundedPerMs : 0;
}
