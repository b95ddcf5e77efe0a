/**
 * What members of shared subscriptions left when they went, until others have it: a few messages at
 * a time, so that nobody is held up. Meanwhile they count with what waits for subscribers.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { Unfinished } from "./shared_hold.ts";

export interface HandOverOptions {
  readonly clock: Clock;
  readonly stats: PubSubStats;
  readonly queue: Pick<QueueLimits, "sharedBytesMax">;
  /** Gives these to other members, in a turn of its own. */
  pass(some: readonly Unfinished[]): void;
}

/** Messages in one turn: 1 ms, or 6 when they go to the file of kept sessions. */
const passMax = 256;

/** See the module. */
export class HandOver {
  readonly #options: HandOverOptions;
  readonly #waiting: Unfinished[][] = [];
  #timer: Timer | undefined;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** A member has gone: the first are passed on at once. */
  add(unfinished: readonly Unfinished[]): void {
    this.#put(unfinished);
    if (this.#timer === undefined) this.#next();
  }

  /**
   * A kept session has ended: what waited for it is passed on in a turn of its own, as far as there
   * is room for it.
   */
  left(unfinished: readonly Unfinished[]): void {
    const { stats, queue: { sharedBytesMax } } = this.#options;
    let bytes = stats.queuedBytes;
    const fit = unfinished.filter(({ message }) => {
      const fits = bytes + message.bytes <= sharedBytesMax / 2; // The rest is for what waits.
      if (fits) bytes += message.bytes;
      return fits;
    });
    stats.lost.session_over += unfinished.length - fit.length;
    this.#put(fit);
    if (fit.length > 0) this.#wait();
  }

  #put(unfinished: readonly Unfinished[]): void {
    for (let at = 0; at < unfinished.length;) {
      let last = this.#waiting.at(-1);
      if (last === undefined || last.length === passMax) this.#waiting.push(last = []);
      const more = unfinished.slice(at, at + passMax - last.length);
      last.push(...more);
      at += more.length;
    }
    this.#account(unfinished, 1);
  }

  /** Passes on all that is left. */
  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    while (this.#waiting.length > 0) this.#pass();
  }

  #next(): void {
    this.#pass();
    if (this.#waiting.length > 0) this.#wait();
  }

  #wait(): void {
    this.#timer ??= this.#options.clock.setTimer(0, () => {
      this.#timer = undefined;
      this.#next();
    });
  }

  #pass(): void {
    const some = this.#waiting.shift();
    if (some === undefined) return;
    this.#account(some, -1);
    this.#options.pass(some);
  }

  #account(some: readonly Unfinished[], sign: 1 | -1): void {
    const { stats } = this.#options;
    stats.queuedMessages += sign * some.length;
    for (const { message } of some) stats.queuedBytes += sign * message.bytes;
  }
}
