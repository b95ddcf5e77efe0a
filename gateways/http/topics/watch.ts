/**
 * What was seen of one topic filter lately, oldest first, for those who follow it: each has a place
 * of its own in it, so that following keeps nothing per viewer, and a viewer that is slow loses what
 * is no longer there, and is told how much.
 *
 * @module
 */
import type { Message } from "../../mqtt/pubsub/message.ts";

/** A message as it was seen here. */
export interface Seen {
  /** Its number among all that were seen since this process began. */
  readonly sequence: number;
  /** Wall time, ms. */
  readonly atMs: number;
  readonly message: Message;
}

/** See the module. */
export class Watch {
  readonly filter: string;
  /** Every message with a greater number is here; `Infinity` until all shards know of the filter. */
  floor = Infinity;
  /** All shards know of the filter. */
  known: Promise<unknown> = Promise.resolve();
  /** Viewers that are there now. */
  followers = 0;
  /** When somebody last wanted it, monotonic ms. */
  usedMs = 0;
  bytes = 0;
  #entries: Seen[] = [];
  /** Index of the oldest. */
  #head = 0;
  /** Place of the oldest. */
  #start = 0;
  readonly #waiting = new Set<() => void>();

  constructor(filter: string) {
    this.filter = filter;
  }

  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** Places are numbered on: the oldest message that is here, and the next one that will come. */
  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.count;
  }

  get first(): Seen | undefined {
    return this.#entries[this.#head];
  }

  get last(): Seen | undefined {
    return this.count === 0 ? undefined : this.#entries.at(-1);
  }

  push(seen: Seen): void {
    this.#entries.push(seen);
    this.bytes += seen.message.bytes;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Forgets the oldest. */
  drop(): void {
    const first = this.first;
    if (first === undefined) return;
    this.bytes -= first.message.bytes;
    this.floor = Math.max(this.floor, first.sequence);
    this.#start++;
    this.#head++;
    if (this.#head >= 256 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** What is at a place, if it is still, or already, here. */
  at(place: number): Seen | undefined {
    return place < this.#start ? undefined : this.#entries[this.#head + place - this.#start];
  }

  /** The place of the first message with a greater number. */
  after(sequence: number): number {
    let place = this.end;
    while (place > this.#start && this.at(place - 1)!.sequence > sequence) place--;
    return place;
  }

  /** The newest, oldest first. */
  newest(count: number): readonly Seen[] {
    return this.#entries.slice(Math.max(this.#head, this.#entries.length - count));
  }

  /** Calls once the next message is here. The function takes that back. */
  wake(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}
