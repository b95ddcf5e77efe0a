/**
 * The course of a replay: when to read the next of the backlog, and how far it has come.
 *
 * @module
 */

/** How far the replay has come. */
export interface ReplayProgress {
  /** Readings written since the backlog began. */
  readonly written: number;
  /** Readings that still wait. */
  readonly remaining: number;
  readonly elapsedMs: number;
}

const progressIntervalMs = 5_000;
/** After the disk could not be read. */
const readRetryMs = 1_000;

interface Course {
  readonly sinceMs: number;
  written: number;
  toldMs: number;
}

/** See the module. Monotonic ms. */
export class Replay {
  #reading = false;
  #notBeforeMs = 0;
  #course: Course | undefined;

  /** Ms until the next read; `Infinity` while one is on its way. */
  readInMs(nowMs: number): number {
    return this.#reading ? Infinity : Math.max(0, this.#notBeforeMs - nowMs);
  }

  reading(): void {
    this.#reading = true;
  }

  /** A read ended with records. */
  found(nowMs: number): void {
    this.#reading = false;
    this.#course ??= { sinceMs: nowMs, written: 0, toldMs: nowMs };
  }

  /** A read failed, or gave nothing of what is there. */
  unreadable(nowMs: number): void {
    this.#reading = false;
    this.#notBeforeMs = nowMs + readRetryMs;
  }

  /** There is no backlog. Answers the end of the replay, if one was on its way. */
  ended(nowMs: number): ReplayProgress | undefined {
    const course = this.#course;
    this.#course = undefined;
    return course === undefined ? undefined : progressOf(course, 0, nowMs);
  }

  /** Leaves the store to the live readings for a while. */
  pause(delayMs: number, nowMs: number): void {
    this.#notBeforeMs = nowMs + delayMs;
  }

  wrote(readings: number): void {
    if (this.#course !== undefined) this.#course.written += readings;
  }

  /** Every few seconds, how far it has come. */
  progress(remaining: () => number, nowMs: number): ReplayProgress | undefined {
    const course = this.#course;
    if (course === undefined || nowMs - course.toldMs < progressIntervalMs) return undefined;
    course.toldMs = nowMs;
    return progressOf(course, remaining(), nowMs);
  }
}

function progressOf(
  { written, sinceMs }: Course,
  remaining: number,
  nowMs: number,
): ReplayProgress {
  return { written, remaining, elapsedMs: nowMs - sinceMs };
}
