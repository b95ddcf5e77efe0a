/**
 * The way from one shard's edges to one owner shard, for one acknowledgement level: gathers
 * readings into frames, keeps what is in flight, and spends credit, so that a slow owner is felt
 * by the sockets and nowhere else.
 *
 * @module
 */
import { type Offer, type Origin, type Rejection, unawaited } from "./intake.ts";
import type { Sender } from "./rates/rates.ts";
import type { TopicEntry } from "./reading.ts";
import { FrameWriter } from "./readings_frame.ts";

/** A frame on its way, and who waits for which of its readings. */
export class SentBatch {
  id = 0;
  /** The owner may have it: sent again, its readings may be duplicates. */
  sent = false;

  constructor(
    readonly frame: FrameWriter = new FrameWriter(),
    readonly origins: Origin[] = [],
    readonly sequences: number[] = [],
    /** What their topics mean, for an owner in the same shard. */
    readonly entries: TopicEntry[] = [],
  ) {}

  reset(): void {
    this.sent = false;
    this.frame.reset();
    this.origins.length = 0;
    this.sequences.length = 0;
    this.entries.length = 0;
  }
}

/** What a batch costs in credit beside its bytes, so that many small ones are bounded too. */
const batchOverheadBytes = 512;

/** One reading of a batch that was not taken: its place in the batch, and why. */
export interface RejectedReading extends Rejection {
  readonly index: number;
}

export interface LaneOptions {
  /** Bytes that may be gathered or in flight; beyond that an offer answers `full`. */
  readonly creditBytes: number;
  /** A frame is sent on when it holds this much. */
  readonly frameBytesMax: number;
  readonly frameCountMax: number;
  now(): number;
  /** Hands the batch to its owner. The lane keeps it until {@linkcode Lane.settle}. */
  transmit(batch: SentBatch): void;
  /** A sender's readings had so many points more than one each. */
  readonly spent?: (sender: Sender, further: number) => void;
}

/** Large frames that are kept for reuse. */
const poolMax = 16;

/** See the module. Batches are settled in any order, each exactly once. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #inFlight = new Map<number, SentBatch>();
  readonly #pool: SentBatch[] = [];
  readonly #waiters = new Set<Origin>();
  #open = new SentBatch();
  #usedBytes = 0;
  #nextId = 1;
  #suspended = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Bytes gathered or in flight. */
  get usedBytes(): number {
    return this.#usedBytes + this.#open.frame.bytes;
  }

  /** Readings gathered or in flight. */
  get readings(): number {
    let count = this.#open.frame.count;
    for (const batch of this.#inFlight.values()) count += batch.frame.count;
    return count;
  }

  /** Whether an offer would be taken. */
  get hasCredit(): boolean {
    return this.#usedBytes + this.#open.frame.bytes < this.#options.creditBytes;
  }

  /** False when credit is out: the origin is told `resume` when there is some again. */
  offer(origin: Origin, offer: Offer, word: number, entry: TopicEntry): boolean {
    const { frame } = this.#open;
    if (!this.hasCredit) {
      this.#waiters.add(origin);
      return false;
    }
    if (frame.count === 0) frame.arrivalMs = this.#options.now();
    if (offer.sequence !== unawaited) frame.awaited = true;
    frame.add(
      offer.bytes,
      offer.topicStart,
      offer.topicEnd,
      offer.payloadStart,
      offer.payloadEnd,
      word,
      origin.originHash,
    );
    this.#open.origins.push(origin);
    this.#open.sequences.push(offer.sequence);
    this.#open.entries.push(entry);
    if (
      frame.bytes >= this.#options.frameBytesMax || frame.count >= this.#options.frameCountMax
    ) {
      // Without its owner it waits, but it grows no more.
      const batch = this.#close();
      if (!this.#suspended) this.#send(batch);
    }
    return true;
  }

  /** Sends on what was gathered. */
  flush(): void {
    if (this.#open.frame.count > 0 && !this.#suspended) this.#send(this.#close());
  }

  /**
   * The owner settled a batch. An id that is not in flight (settled before a resend) is ignored.
   * `points`, of each reading, where they are counted.
   */
  settle(
    batchId: number,
    rejected: readonly RejectedReading[],
    points?: readonly number[],
  ): void {
    const batch = this.#inFlight.get(batchId);
    if (batch === undefined) return;
    this.#inFlight.delete(batchId);
    this.#usedBytes -= batch.frame.bytes + batchOverheadBytes;
    if (points !== undefined) this.#spend(batch, points);
    announce(batch, rejected);
    this.#recycle(batch);
    if (this.#waiters.size > 0 && this.usedBytes <= this.#options.creditBytes / 2) this.#wake();
  }

  /** The owner is lost: keep everything until {@linkcode Lane.resend}. */
  suspend(): void {
    this.#suspended = true;
  }

  /** The owner is back: sends what it had not settled, in order; what it had before, as duplicates. */
  resend(): void {
    this.#suspended = false;
    for (const batch of this.#inFlight.values()) {
      if (batch.sent) batch.frame.markDuplicates();
      this.#send(batch);
    }
    this.flush();
  }

  forget(origin: Origin): void {
    this.#waiters.delete(origin);
  }

  /** Runs of one sender's are told together. */
  #spend({ origins }: SentBatch, points: readonly number[]): void {
    const { spent } = this.#options;
    if (spent === undefined) return;
    let further = 0;
    for (let i = 0; i < origins.length; i++) {
      const { sender } = origins[i]!;
      if (sender === undefined) continue;
      further += Math.max(0, (points[i] ?? 0) - 1);
      if (sender === origins[i + 1]?.sender) continue;
      spent(sender, further);
      further = 0;
    }
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.resume();
  }

  /** Nothing is added to the open batch any more: it has its id and its credit. */
  #close(): SentBatch {
    const batch = this.#seal();
    batch.id = this.#nextId;
    this.#nextId = this.#nextId === 0xffffffff ? 1 : this.#nextId + 1;
    this.#inFlight.set(batch.id, batch);
    this.#usedBytes += batch.frame.bytes + batchOverheadBytes;
    return batch;
  }

  #send(batch: SentBatch): void {
    batch.sent = true;
    this.#options.transmit(batch);
  }

  /** The open batch as it goes on its way: never in buffers much larger than its content. */
  #seal(): SentBatch {
    const batch = this.#open;
    if (!batch.frame.sparse) {
      this.#open = this.#pool.pop() ?? new SentBatch();
      return batch;
    }
    const tight = new SentBatch(
      batch.frame.compact(),
      batch.origins.slice(),
      batch.sequences.slice(),
      batch.entries.slice(),
    );
    batch.reset();
    return tight;
  }

  #recycle(batch: SentBatch): void {
    const { bytes } = batch.frame;
    const { frameBytesMax } = this.#options;
    // One that a large payload made is as large for ever.
    if (this.#pool.length >= poolMax || bytes < frameBytesMax / 2 || bytes > frameBytesMax * 2) {
      return;
    }
    batch.reset();
    this.#pool.push(batch);
  }
}

/** Tells every origin the fate of its readings, then, once per run, that the run has ended. */
function announce(batch: SentBatch, rejected: readonly RejectedReading[]): void {
  const { origins, sequences } = batch;
  const rejections = rejected.length === 0
    ? undefined
    : new Map(rejected.map((rejection) => [rejection.index, rejection]));
  let last: Origin | undefined;
  for (let i = 0; i < origins.length; i++) {
    const origin = origins[i]!;
    if (origin !== last) {
      last?.settledEnd();
      last = origin;
    }
    origin.settled(sequences[i]!, rejections?.get(i));
  }
  last?.settledEnd();
}
