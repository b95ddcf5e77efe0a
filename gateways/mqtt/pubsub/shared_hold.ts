/**
 * QoS 1 messages of shared subscriptions that a member was sent and has not acknowledged: should it
 * go, another one is to have them (MQTT 5 §4.8.2). What they take counts with what waits, for it
 * alone and for all of a shard; one that finds no room is sent all the same, and has no other member
 * that stands in.
 *
 * @module
 */
import type { QueueLimits } from "./delivery_queue.ts";
import type { Message, Share } from "./message.ts";
import type { PubSubStats } from "./pubsub_stats.ts";

/** A message that a member has not got to the end. */
export interface Unfinished {
  readonly message: Message;
  readonly share: Share;
}

/** See the module. */
export class SharedHold {
  readonly #limits: QueueLimits;
  readonly #stats: PubSubStats;
  /** By packet identifier, in the order they were sent; `undefined`: there was no room for it. */
  readonly #held = new Map<number, Unfinished | undefined>();
  #bytes = 0;

  constructor(limits: QueueLimits, stats: PubSubStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  add(packetId: number, unfinished: Unfinished): void {
    const { bytes } = unfinished.message;
    const { bytesMax, sharedBytesMax } = this.#limits;
    const fits = this.#bytes + bytes <= bytesMax &&
      this.#stats.queuedBytes + bytes <= sharedBytesMax / 2; // The rest is for what waits.
    this.#held.set(packetId, fits ? unfinished : undefined);
    if (fits) this.#account(bytes);
  }

  /** It was acknowledged. */
  delete(packetId: number): void {
    const held = this.#held.get(packetId);
    this.#held.delete(packetId);
    if (held !== undefined) this.#account(-held.message.bytes);
  }

  /** The member is gone. What there was no room for is counted as lost. */
  take(): Unfinished[] {
    const taken = [...this.#held.values()].filter((held) => held !== undefined);
    this.#stats.lost.no_member += this.#held.size - taken.length;
    this.#held.clear();
    this.#account(-this.#bytes);
    return taken;
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#stats.queuedBytes += bytes;
  }
}
