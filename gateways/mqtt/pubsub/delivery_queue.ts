/**
 * What waits for a subscriber that does not keep up: bounded in count and bytes, for it alone and
 * for all of a shard. When it is full, what has QoS 0 goes first.
 *
 * @module
 */
import type { Delivery, Message } from "./message.ts";
import type { PubSubStats } from "./pubsub_stats.ts";

export interface QueueLimits {
  readonly countMax: number;
  readonly bytesMax: number;
  /** Bytes of all queues of the shard. */
  readonly sharedBytesMax: number;
}

/** A message and how to send it. */
export interface Waiting extends Delivery {
  readonly message: Message;
}

/** See the module. Messages of one QoS keep their order. */
export class DeliveryQueue {
  readonly #limits: QueueLimits;
  readonly #stats: PubSubStats;
  #items: Waiting[] = [];
  /** Index of the oldest. */
  #head = 0;
  #bytes = 0;
  /** Of these, how many have QoS 0. */
  #qos0 = 0;

  constructor(limits: QueueLimits, stats: PubSubStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  get count(): number {
    return this.#items.length - this.#head;
  }

  get first(): Waiting | undefined {
    return this.#items[this.#head];
  }

  /** Takes a message in, or counts it as lost. */
  push(item: Waiting): void {
    const { bytes } = item.message;
    if (!this.#hasRoom(bytes)) {
      if (item.qos === 0) {
        this.#stats.lost.qos0_full++;
        return;
      }
      this.#dropQos0();
      if (!this.#hasRoom(bytes)) {
        this.#stats.lost.full++;
        return;
      }
    }
    this.#items.push(item);
    if (item.qos === 0) this.#qos0++;
    this.#account(1, bytes);
  }

  shift(): void {
    const item = this.#items[this.#head];
    if (item === undefined) return;
    this.#head++;
    if (item.qos === 0) this.#qos0--;
    this.#account(-1, -item.message.bytes);
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= 256 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** The subscriber is gone. Gives what waited, which is not counted. */
  take(): Waiting[] {
    const items = this.#items.slice(this.#head);
    this.#account(-this.count, -this.#bytes);
    this.#items = [];
    this.#head = 0;
    this.#qos0 = 0;
    return items;
  }

  #hasRoom(bytes: number): boolean {
    const { countMax, bytesMax, sharedBytesMax } = this.#limits;
    return this.count < countMax && this.#bytes + bytes <= bytesMax &&
      this.#stats.queuedBytes + bytes <= sharedBytesMax;
  }

  #dropQos0(): void {
    if (this.#qos0 === 0) return;
    const kept: Waiting[] = [];
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i]!;
      if (item.qos !== 0) kept.push(item);
      else this.#account(-1, -item.message.bytes);
    }
    this.#stats.lost.qos0_full += this.#qos0;
    this.#items = kept;
    this.#head = 0;
    this.#qos0 = 0;
  }

  #account(count: number, bytes: number): void {
    this.#bytes += bytes;
    this.#stats.queuedMessages += count;
    this.#stats.queuedBytes += bytes;
  }
}
