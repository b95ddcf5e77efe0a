/**
 * Takes committed readings to the store. Live readings come from memory and never wait behind the
 * backlog of an outage, which is read from the disk in a lane of its own; a batch that the store
 * refuses goes to a third one, where it is halved down to the bad lines while the others go on.
 *
 * The class decides; what is asynchronous it asks of its {@linkcode WriterPort}, and is told the
 * end. Memory is bounded however long the store is away: what does not fit stays on the disk.
 *
 * @module
 */
import type { SinkResult } from "../sink.ts";
import type { SpoolRecord } from "../spool/record.ts";
import { type BatchLimits, writeInMs } from "./batching.ts";
import { Delivery, type RefusalWord } from "./delivery.ts";
import { InHand } from "./in_hand.ts";
import { LiveQueue } from "./live_queue.ts";
import { replayPauseMs } from "./pacing.ts";
import { Piece } from "./piece.ts";
import { Replay, type ReplayProgress } from "./replay.ts";
import { decide, retryDelayMs } from "./retry.ts";
import { StoreState } from "./store_state.ts";
import { Suspects } from "./suspects.ts";
import { type LaneName, lanes, type WriterOptions, type WriterPort } from "./writer_port.ts";

interface Lane {
  delivery: Delivery | undefined;
  /** When the write that is on its way began. */
  startedMs: number | undefined;
  bytes: number;
}

const lane = (): Lane => ({ delivery: undefined, startedMs: undefined, bytes: 0 });
const bytesMaxFloor = 64 * 1024;
/** A store that fails for longer is in an outage: what waits for it goes to the replay. */
const hiccupMs = 1_000;
/** Batches that may wait to be sifted; beyond that the live lane sifts its own. */
const siftQueueMax = 16;
/** Batches of the replay that may be held at once. */
const replayBatchesMax = 2;

/** See the module. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #port: WriterPort;
  readonly #live: LiveQueue;
  readonly #store: StoreState;
  readonly #suspects = new Suspects();
  readonly #replay = new Replay();
  readonly #lanes: Record<LaneName, Lane> = { live: lane(), sift: lane(), replay: lane() };
  readonly #siftQueue: Delivery[] = [];
  readonly #inHand: InHand;
  #limits: BatchLimits;
  /** Live batches written since the last one of the replay. */
  #liveWrites = 0;
  #draining = false;
  /** The replay waits for the dead letters of what it has read. */
  #replayHeld = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#limits = options.batch;
    this.#live = new LiveQueue(options.liveBytesMax);
    this.#inHand = new InHand({
      port: options.port,
      events: options.events,
      suspects: this.#suspects,
      now: () => this.#now(),
      closed: (record, live) => {
        if (live) this.#live.release(record);
        else if (this.#replayHeld) {
          this.#replayHeld = false;
          this.#port.wakeIn(0);
        }
      },
      replayed: (readings) => this.#replay.wrote(readings),
    });
    this.#store = new StoreState(options.keepMs * 2);
  }

  /** Why the store cannot take readings just now, for readiness; `undefined` when it can. */
  get notReady(): string | undefined {
    return this.#store.reason;
  }

  /** Nothing in memory waits for the store. What is on the disk may. */
  get idle(): boolean {
    return this.#inHand.count === 0 && this.#live.waiting(0).count === 0;
  }

  /** Bytes of records in memory for the live lane. */
  get liveBytes(): number {
    return this.#live.heldBytes;
  }

  /** Looks for what there is to do: at the start, when time has come, when there is a backlog. */
  wake(): void {
    this.#pump();
  }

  /** A record has become durable. */
  live(record: SpoolRecord): void {
    const nowMs = this.#now();
    const waits = this.#store.failingMs(nowMs) <= hiccupMs && this.#live.offer(record, nowMs);
    if (waits) this.#inHand.take(record, true);
    else this.#port.spill(record);
    this.#pump();
  }

  /** Writes what waits at once from now on. */
  drain(): void {
    this.#draining = true;
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.read}. */
  backlog(records: readonly SpoolRecord[]): void {
    const nowMs = this.#now();
    if (records.length === 0) this.#replay.unreadable(nowMs);
    else {
      this.#replay.found(nowMs);
      for (const record of records) this.#inHand.take(record, false);
      this.#lanes.replay.delivery = new Delivery(
        records.map((record) => new Piece(record)),
        this.#inHand,
      );
    }
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.write}. */
  written(name: LaneName, result: SinkResult): void {
    const nowMs = this.#now();
    const at = this.#lanes[name];
    const delivery = at.delivery!;
    const tookMs = nowMs - at.startedMs!;
    at.startedMs = undefined;
    this.#options.events.wrote(name, tookMs, at.bytes);
    if (name === "replay") this.#paceReplay(tookMs, nowMs);
    else this.#liveWrites++;
    const decision = decide(result, this.#store.failures, this.#options.random);
    switch (decision.kind) {
      case "wait":
        this.#failed(decision.reason, decision.delayMs, nowMs);
        break;
      case "done":
        this.#answered(nowMs);
        this.#store.stored(nowMs);
        delivery.stored();
        break;
      case "narrow":
        this.#answered(nowMs);
        this.#refused(at, decision.word, decision.detail);
        break;
      default:
        return decision satisfies never;
    }
    if (at.delivery?.next === undefined) at.delivery = undefined;
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.probe}: why it failed, if it did. */
  probed(failure: string | undefined): void {
    const nowMs = this.#now();
    this.#store.probed();
    if (failure === undefined) this.#answered(nowMs);
    else this.#failed(failure, retryDelayMs(this.#store.failures, this.#options.random), nowMs);
    this.#pump();
  }

  /** Writes, reads and waits for whatever there is to do. */
  #pump(): void {
    const nowMs = this.#now();
    let nextMs = Infinity;
    for (const name of lanes) nextMs = Math.min(nextMs, this.#advance(name, nowMs));
    nextMs = Math.min(nextMs, this.#probe(nowMs));
    if (nextMs < Infinity) this.#port.wakeIn(nextMs);
  }

  /** Takes a lane one step on; answers when to look at it again, in ms. */
  #advance(name: LaneName, nowMs: number): number {
    const at = this.#lanes[name];
    for (;;) {
      if (at.startedMs !== undefined) return Infinity;
      if (at.delivery === undefined) {
        const waitMs = this.#fill(name, at, nowMs);
        if (at.delivery === undefined) return waitMs;
      }
      const pieces = this.#fitting(at.delivery);
      if (pieces === undefined) at.delivery = undefined;
      else if (pieces.every(({ bytes }) => bytes === 0)) at.delivery.stored();
      else return this.#write(name, at, pieces, nowMs);
    }
  }

  #write(name: LaneName, at: Lane, pieces: readonly Piece[], nowMs: number): number {
    const waitMs = this.#store.writeInMs(this.#writes(), nowMs);
    if (waitMs > 0) return waitMs;
    at.startedMs = nowMs;
    at.bytes = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#port.write(name, pieces);
    return Infinity;
  }

  /** Gives a lane its next delivery; answers when there may be one, in ms. */
  #fill(name: LaneName, at: Lane, nowMs: number): number {
    switch (name) {
      case "live":
        return this.#fillLive(at, nowMs);
      case "sift":
        at.delivery = this.#siftQueue.shift();
        return Infinity;
      case "replay":
        return this.#fillReplay(nowMs);
      default:
        return name satisfies never;
    }
  }

  #fillLive(at: Lane, nowMs: number): number {
    const waiting = this.#live.waiting(nowMs);
    const waitMs = writeInMs(
      this.#draining ? { ...waiting, urgent: true } : waiting,
      this.#limits,
    );
    if (waitMs !== 0) return waitMs ?? Infinity;
    const good: Piece[] = [];
    const suspect: Piece[] = [];
    for (const record of this.#live.take(this.#limits)) {
      const parts = this.#suspects.part(record, nowMs);
      good.push(...parts.good);
      suspect.push(...parts.suspect);
    }
    const apart = suspect.length > 0 && this.#siftQueue.length < siftQueueMax;
    if (apart) this.#siftQueue.push(new Delivery(suspect, this.#inHand));
    at.delivery = new Delivery(apart ? good : [...good, ...suspect], this.#inHand);
    return 0;
  }

  #fillReplay(nowMs: number): number {
    if (!this.#port.hasBacklog()) {
      this.#tell(this.#replay.ended(nowMs));
      return Infinity;
    }
    const waitMs = this.#store.away ? Infinity : this.#replay.readInMs(nowMs);
    if (waitMs > 0) return waitMs;
    // Their records are in memory until the dead letters are on a disk that may be full.
    this.#replayHeld = this.#inHand.replayBytes >= replayBatchesMax * this.#limits.bytesMax;
    if (this.#replayHeld) return Infinity;
    this.#replay.reading();
    this.#port.read(this.#limits.bytesMax);
    return Infinity;
  }

  /** Asks after a store that nobody writes to; answers when to look again, in ms. */
  #probe(nowMs: number): number {
    const waitMs = this.#store.probeInMs(this.#writes(), nowMs);
    if (waitMs > 0) return waitMs;
    this.#store.probing();
    this.#port.probe();
    return Infinity;
  }

  /** A write is on its way. */
  #writes(): boolean {
    return lanes.some((name) => this.#lanes[name].startedMs !== undefined);
  }

  /** What is next of a delivery, made as light as the store takes. */
  #fitting(delivery: Delivery): readonly Piece[] | undefined {
    for (;;) {
      const pieces = delivery.next;
      if (pieces === undefined) return undefined;
      const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
      if (bytes <= this.#limits.bytesMax || !delivery.lighten()) return pieces;
    }
  }

  #refused(at: Lane, word: RefusalWord, detail: string): void {
    const delivery = at.delivery!;
    if (word === "store_too_large") {
      const bytesMax = Math.max(bytesMaxFloor, Math.floor(at.bytes / 2));
      this.#limits = { ...this.#limits, bytesMax: Math.min(this.#limits.bytesMax, bytesMax) };
    }
    delivery.refused(word, detail);
    if (at !== this.#lanes.live || word === "store_too_large") return;
    if (delivery.next === undefined || this.#siftQueue.length >= siftQueueMax) return;
    this.#siftQueue.push(delivery);
    at.delivery = undefined;
  }

  #answered(nowMs: number): void {
    const { awayMs, seen } = this.#store.answered(nowMs);
    if (awayMs !== undefined) this.#options.events.storeBack(awayMs);
    if (seen) this.#port.storeSeen();
  }

  #failed(reason: string, delayMs: number, nowMs: number): void {
    this.#port.storeDoubted();
    const { events } = this.#options;
    const news = this.#store.failed(reason, delayMs, nowMs);
    if (news === "away") events.storeAway(reason);
    else if (news === "reason") events.storeAwayFor(reason);
    if (this.#store.failingMs(nowMs) > hiccupMs) this.#setAside();
  }

  /**
   * In an outage nothing gathers in memory: when the store is back, what comes then is live, and
   * what came before is the replay's.
   */
  #setAside(): void {
    for (const record of this.#live.clear()) {
      this.#inHand.giveBack(record);
      this.#port.spill(record);
    }
  }

  #paceReplay(tookMs: number, nowMs: number): void {
    this.#replay.pause(replayPauseMs(tookMs, this.#live.fill, this.#liveWrites > 0), nowMs);
    this.#liveWrites = 0;
    this.#tell(this.#replay.progress(() => this.#port.remaining(), nowMs));
  }

  #tell(progress: ReplayProgress | undefined): void {
    if (progress !== undefined) this.#options.events.replaying(progress);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
