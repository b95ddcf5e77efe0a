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
import type { Clock } from "../../runtime/clock.ts";
import type { SinkResult } from "../sink.ts";
import type { Completion } from "../spool/commit_group.ts";
import type { SpoolRecord } from "../spool/record.ts";
import { type BatchLimits, writeInMs } from "./batching.ts";
import { Delivery, type DeliveryOutcome, type RefusalWord } from "./delivery.ts";
import { LiveQueue } from "./live_queue.ts";
import { replayPauseMs } from "./pacing.ts";
import { Piece } from "./piece.ts";
import { decide } from "./retry.ts";
import { StoreState } from "./store_state.ts";
import { Suspects } from "./suspects.ts";

export const lanes = ["live", "sift", "replay"] as const;
export type LaneName = typeof lanes[number];

/** How far the replay has come. */
export interface ReplayProgress {
  /** Readings written since the backlog began. */
  readonly written: number;
  /** Readings that still wait. */
  readonly remaining: number;
  readonly elapsedMs: number;
}

/** What happens, for counters and the log. */
export interface WriterEvents {
  /** The store took readings for the first time. */
  stored(readings: number): void;
  /** The store refuses readings for good; they are durable dead letters. */
  deadLettered(reason: RefusalWord, readings: number): void;
  /** The store took readings it had taken before; it refused some it had taken before. */
  rewritten(readings: number): void;
  rewriteRefused(readings: number): void;
  /** One write ended, whatever the answer. */
  wrote(lane: LaneName, tookMs: number, bytes: number): void;
  /** Once each: the store went away, and is back. */
  storeAway(reason: string): void;
  storeBack(awayMs: number): void;
  /** Every few seconds of a replay, and at its end. */
  replaying(progress: ReplayProgress): void;
}

/** What the writer asks of its surroundings. */
export interface WriterPort {
  /** Ends with {@linkcode Writer.written}. */
  write(lane: LaneName, pieces: readonly Piece[]): void;
  /** Asks whether the store is there; ends with {@linkcode Writer.probed}. */
  probe(): void;
  /** Reads from the backlog; ends with {@linkcode Writer.backlog}. */
  read(bytesMax: number): void;
  /** Readings that wait on the disk. */
  remaining(): number;
  /** Calls {@linkcode Writer.wake} after so many ms; a later call replaces an earlier one. */
  wakeIn(delayMs: number): void;
  /** Keeps a line that the store refuses; durable with the next commit. */
  bury(line: Piece, word: RefusalWord, detail: string): void;
  /** Completed once all that was buried is durable. */
  onDurable(completion: Completion): void;
  /** The record is through. */
  delivered(record: SpoolRecord): void;
  /** There is no room for the record: it stays on the disk. */
  spill(record: SpoolRecord): void;
  storeSeen(): void;
  storeDoubted(): void;
}

export interface WriterOptions {
  readonly port: WriterPort;
  readonly events: WriterEvents;
  readonly clock: Clock;
  /** [0, 1), for jitter. */
  readonly random: () => number;
  readonly batch: BatchLimits;
  /** Bytes of committed records held in memory for the live lane. */
  readonly liveBytesMax: number;
  /** For how long after the last write the store is asked now and then whether it runs on; 0: never. */
  readonly keepMs: number;
}

interface Lane {
  delivery: Delivery | undefined;
  /** When the write that is on its way began. */
  startedMs: number | undefined;
  bytes: number;
}

const lane = (): Lane => ({ delivery: undefined, startedMs: undefined, bytes: 0 });
const bytesMaxFloor = 64 * 1024;
const seenIntervalMs = 1_000;
const probeIntervalMs = 5_000;
const progressIntervalMs = 5_000;
/** The disk could not be read. */
const readRetryMs = 1_000;
/** Batches that may wait to be sifted; beyond that the live lane sifts its own. */
const siftQueueMax = 16;

/** See the module. */
export class Writer implements DeliveryOutcome {
  readonly #options: WriterOptions;
  readonly #port: WriterPort;
  readonly #live: LiveQueue;
  readonly #store: StoreState;
  readonly #suspects = new Suspects();
  readonly #lanes: Record<LaneName, Lane> = { live: lane(), sift: lane(), replay: lane() };
  readonly #siftQueue: Delivery[] = [];
  /** Readings of each record in hand whose fate is open. */
  readonly #open = new Map<SpoolRecord, { left: number; readonly live: boolean }>();
  #limits: BatchLimits;
  #backlog = true;
  #reading = false;
  #replayNotBeforeMs = 0;
  #liveWrites = 0;
  #replay: { readonly sinceMs: number; written: number; toldMs: number } | undefined;
  #probing = false;
  #probeAtMs = 0;
  #probeUntilMs = 0;
  #seenMs = -Infinity;
  #draining = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#limits = options.batch;
    this.#live = new LiveQueue(options.liveBytesMax);
    this.#store = new StoreState(options.clock.monotonic());
  }

  /** Why the store cannot take readings just now, for readiness; `undefined` when it can. */
  get notReady(): string | undefined {
    return this.#store.reason;
  }

  /** Nothing in memory waits for the store. What is on the disk may. */
  get idle(): boolean {
    return this.#open.size === 0 && this.#live.waiting(0).count === 0;
  }

  /** Bytes of records in memory for the live lane. */
  get liveBytes(): number {
    return this.#live.heldBytes;
  }

  /** Begins: looks for a backlog, and whether the store is there. */
  start(): void {
    this.#pump();
  }

  /** A record has become durable. */
  live(record: SpoolRecord): void {
    if (this.#live.offer(record, this.#now())) {
      this.#open.set(record, { left: record.count, live: true });
    } else {
      this.#port.spill(record);
      this.#backlog = true;
    }
    this.#pump();
  }

  /** There is a backlog: records were left on the disk, or the store may have forgotten some. */
  hasBacklog(): void {
    this.#backlog = true;
    this.#pump();
  }

  /** Writes what waits at once from now on. */
  drain(): void {
    this.#draining = true;
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.read}. */
  backlog(records: readonly SpoolRecord[], failure?: string): void {
    const nowMs = this.#now();
    this.#reading = false;
    if (failure !== undefined) this.#replayNotBeforeMs = nowMs + readRetryMs;
    else if (records.length === 0) this.#endReplay(nowMs);
    else {
      this.#replay ??= { sinceMs: nowMs, written: 0, toldMs: nowMs };
      for (const record of records) this.#open.set(record, { left: record.count, live: false });
      this.#lanes.replay.delivery = new Delivery(records.map((record) => new Piece(record)), this);
    }
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.write}. */
  written(name: LaneName, result: SinkResult): void {
    const { events, random } = this.#options;
    const nowMs = this.#now();
    const at = this.#lanes[name];
    const delivery = at.delivery!;
    const tookMs = nowMs - at.startedMs!;
    at.startedMs = undefined;
    events.wrote(name, tookMs, at.bytes);
    if (name === "replay") {
      this.#replayNotBeforeMs = nowMs +
        replayPauseMs(tookMs, this.#live.fill, this.#liveWrites > 0);
      this.#liveWrites = 0;
    } else this.#liveWrites++;
    const decision = decide(result, this.#store.failures, random);
    if (decision.kind === "wait") {
      this.#failed(decision.reason, decision.delayMs, nowMs);
    } else {
      this.#answered(nowMs);
      if (decision.kind === "done") {
        this.#probeUntilMs = nowMs + this.#options.keepMs * 2;
        delivery.stored();
      } else this.#refused(at, decision.word, decision.detail);
    }
    if (at.delivery?.next === undefined) at.delivery = undefined;
    if (name === "replay") this.#tellProgress(nowMs);
    this.#pump();
  }

  /** What was asked of {@linkcode WriterPort.probe}. */
  probed(ok: boolean, reason = "the store does not answer"): void {
    const nowMs = this.#now();
    this.#probing = false;
    this.#probeAtMs = nowMs + probeIntervalMs;
    if (ok) this.#answered(nowMs);
    else {
      const decision = decide(
        { kind: "retry", reason },
        this.#store.failures,
        this.#options.random,
      );
      if (decision.kind === "wait") this.#failed(reason, decision.delayMs, nowMs);
    }
    this.#pump();
  }

  /** The time asked of {@linkcode WriterPort.wakeIn} has come. */
  wake(): void {
    this.#pump();
  }

  stored(record: SpoolRecord, readings: number): void {
    const { events } = this.#options;
    if (record.again) events.rewritten(readings);
    else events.stored(readings);
    if (this.#replay !== undefined && this.#open.get(record)?.live === false) {
      this.#replay.written += readings;
    }
    this.#close(record, readings);
  }

  refusedLine(line: Piece, word: RefusalWord, detail: string): void {
    this.#suspects.add(line.device, this.#now());
    this.#port.bury(line, word, detail);
  }

  refused(record: SpoolRecord, word: RefusalWord): void {
    const { events } = this.#options;
    this.#port.onDurable({
      complete: () => {
        if (record.again) events.rewriteRefused(1);
        else events.deadLettered(word, 1);
        this.#close(record, 1);
      },
    });
  }

  /** Writes, reads and waits for whatever there is to do. */
  #pump(): void {
    const nowMs = this.#now();
    let nextMs = Infinity;
    for (const name of lanes) nextMs = Math.min(nextMs, this.#advance(name, nowMs));
    nextMs = Math.min(nextMs, this.#look(nowMs));
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
    if (this.#store.away) {
      const busy = lanes.some((other) => this.#lanes[other].startedMs !== undefined);
      if (busy || this.#probing) return Infinity;
      const waitMs = this.#store.waitMs(nowMs);
      if (waitMs > 0) return waitMs;
    }
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
    if (suspect.length > 0 && this.#siftQueue.length < siftQueueMax) {
      this.#siftQueue.push(new Delivery(suspect, this));
      suspect.length = 0;
    }
    at.delivery = new Delivery([...good, ...suspect], this);
    return 0;
  }

  #fillReplay(nowMs: number): number {
    if (!this.#backlog || this.#reading || this.#store.away) return Infinity;
    const waitMs = this.#replayNotBeforeMs - nowMs;
    if (waitMs > 0) return waitMs;
    this.#reading = true;
    this.#port.read(this.#limits.bytesMax);
    return Infinity;
  }

  /** Looks after a store that nobody writes to. Answers when to look again, in ms. */
  #look(nowMs: number): number {
    const busy = lanes.some((name) => this.#lanes[name].startedMs !== undefined);
    if (busy || this.#probing) return Infinity;
    const keepsLooking = nowMs < this.#probeUntilMs;
    if (!this.#store.away && !keepsLooking) return Infinity;
    const waitMs = this.#store.away ? this.#store.waitMs(nowMs) : this.#probeAtMs - nowMs;
    if (waitMs > 0) return waitMs;
    this.#probing = true;
    this.#port.probe();
    return Infinity;
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

  #close(record: SpoolRecord, readings: number): void {
    const open = this.#open.get(record);
    if (open === undefined) return;
    open.left -= readings;
    if (open.left > 0) return;
    this.#open.delete(record);
    if (open.live) this.#live.release(record);
    this.#port.delivered(record);
  }

  #answered(nowMs: number): void {
    const awayMs = this.#store.answered(nowMs);
    if (awayMs !== undefined) this.#options.events.storeBack(awayMs);
    this.#probeAtMs = nowMs + probeIntervalMs;
    if (nowMs - this.#seenMs < seenIntervalMs) return;
    this.#seenMs = nowMs;
    this.#port.storeSeen();
  }

  #failed(reason: string, delayMs: number, nowMs: number): void {
    this.#seenMs = -Infinity;
    this.#port.storeDoubted();
    if (this.#store.failed(reason, delayMs, nowMs)) this.#options.events.storeAway(reason);
  }

  #tellProgress(nowMs: number): void {
    const replay = this.#replay;
    if (replay === undefined || nowMs - replay.toldMs < progressIntervalMs) return;
    replay.toldMs = nowMs;
    this.#options.events.replaying({
      written: replay.written,
      remaining: this.#port.remaining(),
      elapsedMs: nowMs - replay.sinceMs,
    });
  }

  #endReplay(nowMs: number): void {
    this.#backlog = false;
    if (this.#replay !== undefined) {
      const { written, sinceMs } = this.#replay;
      this.#options.events.replaying({ written, remaining: 0, elapsedMs: nowMs - sinceMs });
    }
    this.#replay = undefined;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
