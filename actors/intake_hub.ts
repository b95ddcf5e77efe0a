/**
 * The intake of a shard: finds the owner of every reading that an edge offers and puts it on the
 * lane there. A reading no route takes is refused on the spot, and counted.
 *
 * @module
 */
import {
  type Intake,
  type Offer,
  type OfferResult,
  type Origin,
  type Rejection,
  transports,
} from "./intake.ts";
import { Lane, type RejectedReading, type SentBatch } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { type AckLevel, ackLevels, entryWord } from "./readings_frame.ts";
import type { Rates } from "./rates/rates.ts";
import type { TopicEntry, TopicRefusal } from "./reading.ts";
import { RefusedTopics } from "./refused_topics.ts";

/** Answers where the readings of a topic go. */
export interface TopicLookup {
  lookup(bytes: Uint8Array, start: number, end: number): TopicEntry | TopicRefusal;
}

export interface IntakeHubOptions {
  readonly shards: number;
  readonly topics: TopicLookup;
  readonly ledger: Ledger;
  /** Credit of one lane: see {@linkcode Lane}. */
  readonly laneBytes: number;
  /** Of a larger payload a byte more than this goes on, so that its owner knows. */
  readonly payloadBytesMax: number;
  now(): number;
  /** Runs a function once the event loop's current events are handled. */
  defer(run: () => void): void;
  /** Hands a batch to its owner, in this Worker or another. */
  transmit(owner: number, ackLevel: AckLevel, batch: SentBatch): void;
  /** What senders are held to; absent: nothing. */
  readonly rates?: Rates | undefined;
  /** Whether an owner's spool takes nothing now: for origins that do not wait for it. */
  readonly stalled?: (owner: number) => boolean;
  /**
   * Sees every offer that becomes no reading, and why. `isNew`: the first one of its topic and
   * reason, as far as {@linkcode RefusedTopics} has room.
   */
  readonly onRefused?: (offer: Offer, reason: string, isNew: boolean) => void;
}

/** Bytes and readings at which a frame goes on without waiting for the turn to end. */
const frameBytesMax = 64 * 1024;
const frameCountMax = 1_024;

const dollar = 0x24;

const utf8 = new TextDecoder();

/** Topics that begin with `$` are the server's own [MQTT-4.7.2-1]: no device may speak for it. */
const reservedTopic: Rejection = {
  outcome: "refused",
  reason: "topic_reserved",
  detail: "topics that begin with $ are the server's own; publish to another",
};

/** See the module. */
export class IntakeHub implements Intake {
  readonly #options: IntakeHubOptions;
  /** By owner, then acknowledgement level. */
  readonly #lanes: Lane[] = [];
  /** What was refused here, by topic. */
  readonly refusedTopics = new RefusedTopics();
  #flushAsked = false;

  constructor(options: IntakeHubOptions) {
    const { rates } = options;
    this.#options = options;
    for (let owner = 0; owner < options.shards; owner++) {
      for (const ackLevel of ackLevels) {
        this.#lanes.push(
          new Lane({
            creditBytes: options.laneBytes,
            frameBytesMax,
            frameCountMax,
            now: options.now,
            transmit: (batch) => options.transmit(owner, ackLevel, batch),
            ...(rates &&
              { spent: (sender, further) => rates.spentBySender(sender, further) }),
          }),
        );
      }
    }
  }

  /** Readings that were offered and are not settled. */
  get readings(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.readings, 0);
  }

  /** Bytes that wait for their owner. */
  get usedBytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.usedBytes, 0);
  }

  offer(origin: Origin, offer: Offer): OfferResult {
    const options = this.#options;
    const transport = transports.indexOf(origin.transport);
    if (offer.bytes[offer.topicStart] === dollar && origin.transport === "mqtt") {
      if (!this.#mayRefuse(origin, offer)) return "full";
      this.deny(origin, offer, reservedTopic);
      return reservedTopic;
    }
    const found = options.topics.lookup(offer.bytes, offer.topicStart, offer.topicEnd);
    if (found.kind === "refused") {
      if (!this.#mayRefuse(origin, offer)) return "full";
      this.deny(origin, offer, found.rejection);
      return found.rejection;
    }
    const payloadBytes = offer.payloadEnd - offer.payloadStart;
    const taken = payloadBytes <= options.payloadBytesMax
      ? offer
      // Its beginning, a byte more than may be, so that the device makes a dead letter of it.
      : { ...offer, payloadEnd: offer.payloadStart + options.payloadBytesMax + 1 };
    const level = found.route.ackLevel === "stored" ? 1 : 0;
    const owner = (found.deviceHash >>> 0) % options.shards;
    const lane = this.#lanes[owner * ackLevels.length + level]!;
    if (origin.ownerStalled !== undefined && options.stalled?.(owner)) {
      origin.ownerStalled();
      return "full";
    }
    if (
      options.rates !== undefined && origin.sender !== undefined && lane.hasCredit &&
      !options.rates.admit(origin, origin.sender, found)
    ) {
      return "full";
    }
    if (!lane.offer(origin, taken, entryWord(offer.packetId, offer.flags, transport), found)) {
      return "full";
    }
    return "accepted";
  }

  /** What no route takes costs its sender too; else whoever is over a rate would send that. */
  #mayRefuse(origin: Origin, { bytes, topicStart, topicEnd }: Offer): boolean {
    const { rates } = this.#options;
    const { sender } = origin;
    if (rates === undefined || sender === undefined) return true;
    const topic = () => utf8.decode(bytes.subarray(topicStart, topicEnd));
    return rates.admitUnrouted(origin, sender, topic);
  }

  deny(origin: Origin, offer: Offer, { reason }: Rejection): void {
    const { ledger, now, onRefused } = this.#options;
    ledger.refusedAtEdge(transports.indexOf(origin.transport), reason);
    const { bytes, topicStart, topicEnd } = offer;
    const isNew = this.refusedTopics.note(bytes, topicStart, topicEnd, reason, now());
    onRefused?.(offer, reason, isNew);
  }

  flush(): boolean {
    if (this.#flushAsked) return true;
    this.#flushAsked = true;
    this.#options.defer(this.#flushNow);
    return true;
  }

  forget(origin: Origin): void {
    for (const lane of this.#lanes) lane.forget(origin);
    this.#options.rates?.forget(origin);
  }

  /** The owner settled one of our batches. */
  settle(
    owner: number,
    ackLevel: AckLevel,
    batchId: number,
    rejected: readonly RejectedReading[],
    points?: readonly number[],
  ): void {
    this.#lane(owner, ackLevel).settle(batchId, rejected, points);
  }

  /** The Worker of `owner` is lost: what it has not settled is kept. */
  ownerLost(owner: number): void {
    for (const ackLevel of ackLevels) this.#lane(owner, ackLevel).suspend();
  }

  /** The Worker of `owner` is back: what was kept is sent again. */
  ownerBack(owner: number): void {
    for (const ackLevel of ackLevels) this.#lane(owner, ackLevel).resend();
  }

  #lane(owner: number, ackLevel: AckLevel): Lane {
    return this.#lanes[owner * ackLevels.length + ackLevels.indexOf(ackLevel)]!;
  }

  readonly #flushNow = (): void => {
    this.#flushAsked = false;
    this.#options.rates?.turned();
    for (const lane of this.#lanes) lane.flush();
  };
}
