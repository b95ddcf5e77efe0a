/**
 * The queue in front of an actor: a ring that is bounded in count and in bytes, and says so.
 *
 * Full is an answer, never a silent drop. The mailbox alone counts what it took, gave and dropped,
 * so that in every state `accepted = taken + dropped + queued`. Empty, it holds no ring:
 * 100,000 idle actors must not each pay for one, and the ring that serves the busy one is warm in the cache.
 *
 * @module
 */
import type { MailboxLimits } from "./actor.ts";
import { Lane, type LaneItem } from "./lane.ts";

/** Limits checked and worked out once per child spec, and shared by every mailbox of it. */
export interface MailboxBounds {
  readonly countMax: number;
  readonly bytesMax: number;
  readonly sizeOf: ((message: unknown) => number) | undefined;
  readonly highCount: number;
  readonly highBytes: number;
  readonly lowCount: number;
  readonly lowBytes: number;
  /** Emptied rings of the smallest size, for whoever needs one next. */
  readonly spareRings: unknown[][];
}

/** `high`: accepted, and with it the mailbox rose to its high watermark. */
export type OfferResult = "accepted" | "high" | "full";

const ringSlotsMin = 8;
const spareRingsMax = 256;

/** Checks the limits and derives the watermarks. Throws a `RangeError` that names the bad value. */
export function mailboxBounds<M>(limits: MailboxLimits<M>): MailboxBounds {
  const { countMax, bytesMax, sizeOf, highWatermark = 0.8, lowWatermark = 0.5 } = limits;
  if (!Number.isInteger(countMax) || countMax < 1 || countMax > 2 ** 30) {
    throw new RangeError(`Cannot bound a mailbox: countMax ${countMax} is not in 1..2^30`);
  }
  if (bytesMax !== undefined && !(bytesMax > 0)) {
    throw new RangeError(`Cannot bound a mailbox: bytesMax ${bytesMax} is not above 0`);
  }
  if (bytesMax !== undefined && sizeOf === undefined) {
    throw new RangeError(`Cannot bound a mailbox: bytesMax ${bytesMax} needs sizeOf`);
  }
  if (!(lowWatermark > 0 && lowWatermark <= highWatermark && highWatermark <= 1)) {
    throw new RangeError(
      `Cannot bound a mailbox: watermarks ${lowWatermark} and ${highWatermark} are not 0 < low ≤ high ≤ 1`,
    );
  }
  const bytes = bytesMax ?? Infinity;
  return {
    countMax,
    bytesMax: bytes,
    // A mailbox only ever sizes what its own actor's senders put in, so M is what it gets.
    sizeOf: sizeOf as ((message: unknown) => number) | undefined,
    highCount: Math.max(1, Math.ceil(countMax * highWatermark)),
    highBytes: bytes * highWatermark,
    lowCount: Math.floor(countMax * lowWatermark),
    lowBytes: bytes * lowWatermark,
    spareRings: [],
  };
}

/**
 * A bounded first-in, first-out queue with a high and a low watermark, and before it a lane for
 * what must not wait behind the mail. The counters are of the queue alone.
 */
export class Mailbox {
  readonly #bounds: MailboxBounds;
  /** A lone message needs no ring. */
  #single: unknown;
  #ring: unknown[] | undefined;
  /** Bytes of each slot's message: measured once, so a message that changes cannot skew the sum. */
  #sizes: number[] | undefined;
  #head = 0;
  #count = 0;
  #bytes = 0;
  #accepted = 0;
  #dropped = 0;
  #high = false;
  #lane: Lane | undefined;

  constructor(bounds: MailboxBounds) {
    this.#bounds = bounds;
  }

  /** Messages that wait. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages ever let in. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Messages ever handed to the actor. */
  get taken(): number {
    return this.#accepted - this.#dropped - this.#count;
  }

  /** Messages ever removed unhandled by {@linkcode drain}. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether there is anything to handle, in the lane or in the queue. */
  get waiting(): boolean {
    return this.#count > 0 || this.#lane !== undefined;
  }

  /** Above the high watermark, and not yet back below the low one. */
  get high(): boolean {
    return this.#high;
  }

  /** Takes the message in, or answers `full`. A lone message larger than `bytesMax` never fits. */
  offer(message: unknown): OfferResult {
    const bounds = this.#bounds;
    const count = this.#count;
    if (count >= bounds.countMax) return "full";
    let size = 0;
    if (bounds.sizeOf !== undefined) {
      size = bounds.sizeOf(message);
      // Written so that a NaN is refused too.
      if (!(size >= 0 && this.#bytes + size <= bounds.bytesMax)) return "full";
    }
    if (count === 0) this.#single = message;
    else {
      if (this.#ring === undefined || count === this.#ring.length) this.#makeRoom();
      const slot = this.#slot(count);
      this.#ring![slot] = message;
      if (this.#sizes !== undefined) this.#sizes[slot] = size;
    }
    this.#bytes += size;
    this.#count = count + 1;
    this.#accepted++;
    if (this.#high || (this.#count < bounds.highCount && this.#bytes < bounds.highBytes)) {
      return "accepted";
    }
    this.#high = true;
    return "high";
  }

  /** The oldest message. Call only while {@linkcode count} is above 0. */
  take(): unknown {
    const ring = this.#ring;
    let message: unknown;
    if (ring === undefined) {
      message = this.#single;
      this.#single = undefined;
    } else {
      const head = this.#head;
      message = ring[head];
      ring[head] = undefined;
      if (this.#sizes !== undefined) this.#bytes -= this.#sizes[head]!;
      this.#head = (head + 1) & (ring.length - 1);
    }
    if (--this.#count === 0) this.#emptied();
    return message;
  }

  /** Puts something before the mail. The limits are not for it: see {@linkcode Lane}. */
  put(item: LaneItem): void {
    (this.#lane ??= new Lane()).push(item);
  }

  /** Puts items before all others, in their order. */
  putFirst(items: readonly LaneItem[]): void {
    if (items.length > 0) (this.#lane ??= new Lane()).pushFirst(items);
  }

  /** What comes before the mail, if there is anything. */
  takeFirst(): LaneItem | undefined {
    const lane = this.#lane;
    if (lane === undefined) return undefined;
    const item = lane.take();
    if (lane.empty) this.#lane = undefined;
    return item;
  }

  /** True once after the mailbox fell from high to its low watermark. */
  relieved(): boolean {
    if (!this.#high) return false;
    if (this.#count > this.#bounds.lowCount || this.#bytes > this.#bounds.lowBytes) return false;
    this.#high = false;
    return true;
  }

  /** Removes the oldest message and counts it as dropped; for mail that will not be handled. */
  drop(): unknown {
    const message = this.take();
    this.#dropped++;
    return message;
  }

  #slot(offset: number): number {
    return (this.#head + offset) & (this.#ring!.length - 1);
  }

  #makeRoom(): void {
    const ring = this.#ring;
    if (ring === undefined) {
      const fresh = this.#bounds.spareRings.pop() ?? new Array(ringSlotsMin).fill(undefined);
      fresh[0] = this.#single;
      this.#single = undefined;
      this.#ring = fresh;
      this.#head = 0;
      if (this.#bounds.sizeOf === undefined) return;
      this.#sizes = new Array(ringSlotsMin).fill(0);
      this.#sizes[0] = this.#bytes;
      return;
    }
    const grown = new Array(ring.length * 2).fill(undefined);
    const sizes = this.#sizes === undefined ? undefined : new Array(ring.length * 2).fill(0);
    for (let i = 0; i < this.#count; i++) {
      grown[i] = ring[this.#slot(i)];
      if (sizes !== undefined) sizes[i] = this.#sizes![this.#slot(i)]!;
    }
    this.#ring = grown;
    this.#sizes = sizes;
    this.#head = 0;
  }

  #emptied(): void {
    const ring = this.#ring;
    // Sums of fractions drift; an empty mailbox holds exactly nothing.
    this.#bytes = 0;
    this.#ring = this.#sizes = undefined;
    if (ring?.length !== ringSlotsMin) return;
    if (this.#bounds.spareRings.length < spareRingsMax) this.#bounds.spareRings.push(ring);
  }
}
