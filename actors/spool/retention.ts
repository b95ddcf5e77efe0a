/**
 * What stays on the disk and what goes: segments that nobody needs are deleted, and when a limit is
 * reached, what is only kept gives way first. What the store has not taken gives way only to
 * `drop_oldest`, and is counted.
 *
 * @module
 */
import type { Segment } from "../segment_log/segment.ts";
import type { SegmentLog } from "../segment_log/segment_log.ts";
import type { Custody } from "./custody.ts";
import type { Remains } from "./remains.ts";
import type { SpoolOptions } from "./spool_options.ts";

/** A limit of the spool is reached and nothing may give way. */
export class SpoolFullError extends Error {}

/** See the module. */
export class Retention {
  readonly #options: SpoolOptions;
  readonly #log: SegmentLog;
  readonly #custody: Custody;
  /** By segment number: readings in the backlog that the store never took. */
  readonly #waiting: Map<number, number>;
  /** Told which records were deleted. */
  readonly #gone: (start: number, end: number) => void;
  readonly #remains: Remains;

  constructor(
    options: SpoolOptions,
    log: SegmentLog,
    custody: Custody,
    waiting: Map<number, number>,
    gone: (start: number, end: number) => void,
    remains: Remains,
  ) {
    this.#options = options;
    this.#log = log;
    this.#custody = custody;
    this.#waiting = waiting;
    this.#gone = gone;
    this.#remains = remains;
  }

  /** Readings in the backlog that the store never took. */
  get backlog(): number {
    let readings = 0;
    for (const count of this.#waiting.values()) readings += count;
    return readings;
  }

  /** Deletes every old segment that nobody needs, except the one that is being written to. */
  sweep(inUse: Segment | undefined): void {
    const rememberedUpToMs = this.#options.rememberedUpToMs?.() ?? Infinity;
    this.#remains.saved(rememberedUpToMs);
    for (const segment of [...this.#log.segments]) {
      const { firstSequence, endSequence, lastMs } = segment;
      if (segment === inUse || endSequence === firstSequence || lastMs > rememberedUpToMs) continue;
      if (!this.#custody.needs(firstSequence, endSequence)) this.#remove(segment);
    }
  }

  /** Throws when a limit is reached and nothing may give way. */
  makeRoom(bytes: number): void {
    const { bytesMax, ageMaxMs, whenFull } = this.#options;
    const dropOldest = whenFull === "drop_oldest";
    const wanted = () => this.#log.bytes + this.#remains.carriedBytes + bytes;
    while (this.#log.bytes > 0 && wanted() > bytesMax) {
      if (this.giveWay() || (dropOldest && this.#drop(this.#log.segments[0]!))) continue;
      throw new SpoolFullError(
        `The spool holds ${this.#log.bytes} of at most ${bytesMax} bytes that the store has not ` +
          `taken yet`,
      );
    }
    if (dropOldest) this.dropAged();
    else if (this.#aged() !== undefined) {
      throw new SpoolFullError(`The spool holds readings older than ${ageMaxMs} ms`);
    }
  }

  /**
   * Deletes the oldest segment that is only kept, except the one that is being written to. What
   * remains of it is shorter; a segment that is nothing else would make no room.
   */
  dropKept(inUse?: Segment): boolean {
    const segment = this.#log.segments.find((candidate) => {
      const { firstSequence, endSequence, items } = candidate;
      return candidate !== inUse && endSequence > firstSequence &&
        !this.#custody.owes(firstSequence, endSequence) &&
        (items > 0 || !this.#remains.intersects(firstSequence, endSequence));
    });
    if (segment === undefined) return false;
    this.#remains.saved(this.#options.rememberedUpToMs?.() ?? Infinity);
    return this.#remove(segment, true);
  }

  /** The same, and what only remains goes too when the store has all there is: it frees no more. */
  giveWay(): boolean {
    if (this.dropKept()) return true;
    if (this.#custody.firstOwed !== undefined) return false;
    const segment = this.#log.segments.find(({ firstSequence, endSequence, items }) =>
      items === 0 && endSequence > firstSequence
    );
    return segment !== undefined && this.#remove(segment);
  }

  /**
   * `drop_oldest`, on a disk that is full before the spool is: deletes the oldest segment that holds
   * anything, and counts what is lost with it.
   */
  dropForRoom(inUse: Segment | undefined): boolean {
    if (this.#options.whenFull !== "drop_oldest") return false;
    const segment = this.#log.segments.find(({ firstSequence, endSequence }) =>
      endSequence > firstSequence
    );
    return segment !== undefined && segment !== inUse && this.#drop(segment);
  }

  /** Deletes a segment, and counts what is lost with it. */
  #drop(segment: Segment): boolean {
    const readings = this.#waiting.get(segment.number) ?? 0;
    if (!this.#remove(segment)) return false;
    if (readings > 0) this.#options.events.lost("dropped", readings);
    return true;
  }

  /** Deletes what is older than the age limit. */
  dropAged(): void {
    for (let aged; (aged = this.#aged()) !== undefined;) if (!this.#drop(aged)) return;
  }

  /** The oldest segment whose newest record is too old. */
  #aged(): Segment | undefined {
    const { ageMaxMs, time } = this.#options;
    if (ageMaxMs === undefined) return undefined;
    const horizonMs = time.now() - ageMaxMs;
    return this.#log.segments.find(({ firstSequence, endSequence, lastMs }) =>
      lastMs < horizonMs && this.#custody.owes(firstSequence, endSequence)
    );
  }

  #remove(segment: Segment, carry = false): boolean {
    const { firstSequence, endSequence } = segment;
    try {
      this.#log.remove(segment);
    } catch (cause) {
      this.#options.events.trouble(`remove ${segment.path}`, cause);
      return false;
    }
    if (carry) this.#remains.carry(firstSequence, endSequence);
    else this.#remains.forget(firstSequence, endSequence);
    this.#custody.forget(firstSequence, endSequence);
    this.#waiting.delete(segment.number);
    this.#gone(firstSequence, endSequence);
    return true;
  }

  /** Records `[start, end)` cannot be read any more; at most `readings` readings go with them. */
  lose(segment: Segment, start: number, end: number, readings: number): void {
    this.#custody.forget(start, end);
    const lost = Math.min(readings, this.#waiting.get(segment.number) ?? 0);
    this.count(segment, -lost);
    if (lost > 0) this.#options.events.lost("corrupt", lost);
  }

  /** Readings that the store never took have joined, or left, the backlog. */
  count(segment: Segment, readings: number): void {
    const count = (this.#waiting.get(segment.number) ?? 0) + readings;
    if (count > 0) this.#waiting.set(segment.number, count);
    else this.#waiting.delete(segment.number);
  }
}
