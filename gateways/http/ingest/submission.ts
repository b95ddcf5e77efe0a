/**
 * The items of one request on their way: offers them while there is credit, waits for credit, and
 * ends when each that was taken is settled.
 *
 * @module
 */
import { noFieldsDetail } from "../../../actors/decode_result.ts";
import {
  type Intake,
  type Offer,
  offerFlags,
  type Origin,
  type Rejection,
} from "../../../actors/intake.ts";
import type { Sender } from "../../../actors/rates/rates.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { notPermitted } from "../../auth/api_guard.ts";
import type { Item } from "./item.ts";

/** An item that was not stored, and why. */
export interface RejectedItem extends Rejection {
  readonly index: number;
}

/** Reasons that come without a sentence, in one. */
const plainly: ReadonlyMap<string, string> = new Map([
  ["no_fields", noFieldsDetail],
  ["no_route", "no route takes its topic"],
]);

/** What became of a request's items. */
export interface SubmissionResult {
  /** Those that were turned away, in order. */
  readonly rejected: readonly RejectedItem[];
  /** Items from here on were not taken, for want of credit. */
  readonly taken: number;
  /** Not 0 when it was for a rate: after so many ms the next item may be sent. */
  readonly limitedMs: number;
  /** False: some that were taken are not known to be durable, as readings or as messages. */
  readonly settled: boolean;
}

export interface SubmissionOptions {
  readonly clock: Clock;
  /** How long to wait for credit. The first item does not wait. */
  readonly creditMs: number;
  /** How long to wait for the fate of what was taken. */
  readonly settleMs: number;
  /**
   * Hash of what names the request: then each item is one that may have been sent before, to be
   * known again by its place, its topic and its payload. 0: it has no name.
   */
  readonly nameHash: number;
  /** Whether the sender may send readings of a topic. Absent: of every topic. */
  readonly permits?: (topic: string) => boolean;
  /** Whose rates the items are held to. */
  readonly sender?: Sender | undefined;
  /** Whether the spool of some shard takes nothing now. */
  readonly stalled: () => boolean;
}

const encoder = new TextEncoder();
/** How often to look whether what was taken waits for a spool that takes nothing. */
const stallCheckMs = 500;
/** Offers in one go, before others have their turn. */
const offersPerTurn = 256;
/** Packet identifiers go from 1 to this. */
const packetIds = 0xffff;

/** See the module. */
export class Submission implements Origin {
  readonly transport = "http";
  readonly originHash: number;
  readonly sender: Sender | undefined;
  readonly #intake: Intake;
  readonly #options: SubmissionOptions;
  readonly #rejected: RejectedItem[] = [];
  readonly #offer: Offer;
  #scratch = new Uint8Array(1024);
  #pending = 0;
  #limitedMs = 0;
  #wake: (() => void) | undefined;

  constructor(intake: Intake, options: SubmissionOptions) {
    this.originHash = options.nameHash;
    this.sender = options.sender;
    this.#intake = intake;
    this.#options = options;
    this.#offer = {
      bytes: this.#scratch,
      topicStart: 0,
      topicEnd: 0,
      payloadStart: 0,
      payloadEnd: 0,
      flags: options.nameHash === 0 ? 0 : offerFlags.dup,
      packetId: 0,
      sequence: 0,
    };
  }

  /** To be called once. */
  async submit(items: readonly Item[]): Promise<SubmissionResult> {
    const { creditMs } = this.#options;
    let taken = 0;
    let kept = true;
    while (taken < items.length) {
      const offered = this.#offerSome(items, taken);
      kept = this.#intake.flush() && kept;
      taken += offered.count;
      if (!offered.full) await eventLoopTurn();
      else if (
        taken === 0 || this.#limitedMs > 0 || this.#stalled ||
        !await this.#woken(() => this.#hasCredit, creditMs)
      ) break;
    }
    const settled = await this.#allSettled();
    this.#intake.forget(this);
    this.#rejected.sort((a, b) => a.index - b.index);
    return {
      rejected: this.#rejected,
      taken,
      limitedMs: this.#limitedMs,
      settled: settled && kept,
    };
  }

  settled(sequence: number, rejection: Rejection | undefined): void {
    this.#pending--;
    if (rejection !== undefined) this.#reject(sequence, rejection);
  }

  settledEnd(): void {
    this.#wake?.();
  }

  #hasCredit = true;

  resume(): void {
    this.#hasCredit = true;
    this.#wake?.();
  }

  #stalled = false;

  ownerStalled(): void {
    this.#stalled = true;
  }

  rateLimited(waitMs: number): void {
    this.#limitedMs = waitMs;
  }

  #offerSome(items: readonly Item[], from: number): { count: number; full: boolean } {
    const to = Math.min(items.length, from + offersPerTurn);
    for (let index = from; index < to; index++) {
      const item = items[index]!;
      this.#fill(item, index);
      const problem = item.problem ?? this.#forbidden(item.topic);
      if (problem !== undefined) {
        const rejection: Rejection = { outcome: "refused", ...problem };
        this.#intake.deny(this, this.#offer, rejection);
        this.#reject(index, rejection);
        continue;
      }
      const result = this.#intake.offer(this, this.#offer);
      if (result === "full") {
        this.#hasCredit = false;
        return { count: index - from, full: true };
      }
      if (result === "accepted") this.#pending++;
      else this.#reject(index, result);
    }
    return { count: to - from, full: false };
  }

  /** Most requests have one topic: what was permitted last is remembered. */
  #permitted: string | undefined;

  #forbidden(topic: string): Item["problem"] {
    const { permits } = this.#options;
    if (permits === undefined || topic === this.#permitted) return undefined;
    if (!permits(topic)) return notPermitted;
    this.#permitted = topic;
    return undefined;
  }

  #fill({ topic, bytes, start, end }: Item, index: number): void {
    const offer = this.#offer;
    const need = topic.length * 3 + end - start;
    if (need > this.#scratch.length) this.#scratch = new Uint8Array(2 * need);
    const { written } = encoder.encodeInto(topic, this.#scratch);
    this.#scratch.set(bytes.subarray(start, end), written);
    offer.bytes = this.#scratch;
    offer.topicEnd = offer.payloadStart = written;
    offer.payloadEnd = written + end - start;
    offer.packetId = this.originHash === 0 ? 0 : index % packetIds + 1;
    offer.sequence = index;
  }

  #reject(index: number, { outcome, reason, detail = plainly.get(reason) }: Rejection): void {
    this.#rejected.push({
      index,
      outcome,
      reason,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** False when it is not so in time, or cannot be: a spool takes nothing. */
  async #allSettled(): Promise<boolean> {
    const { settleMs, stalled } = this.#options;
    for (let leftMs = settleMs; leftMs > 0; leftMs -= stallCheckMs) {
      if (await this.#woken(() => this.#pending === 0, Math.min(leftMs, stallCheckMs))) return true;
      if (stalled()) return false;
    }
    return false;
  }

  /** Waits until the condition holds; false when it does not in time. */
  async #woken(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    let late = false;
    const timer = this.#options.clock.setTimer(deadlineMs, () => {
      late = true;
      this.#wake?.();
    });
    while (!condition() && !late) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#wake = undefined;
    timer.clear();
    return condition();
  }
}
