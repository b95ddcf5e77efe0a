/**
 * What members of shared subscriptions left when they went, until others have it: a few messages at
 * a time, so that nobody is held up. Meanwhile they count with what waits for subscribers.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { Unfinished } from "./shared_hold.ts";

export interface HandOverOptions {
  readonly clock: Clock;
  readonly stats: PubSubStats;
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
    for (let at = 0; at < unfinished.length;) {
      let last = this.#waiting.at(-1);
      if (last === undefined || last.length === passMax) this.#waiting.push(last = []);
      const more = unfinished.slice(at, at + passMax - last.length);
      last.push(...more);
      at += more.length;
    }
    this.#account(unfinished, 1);
    if (this.#timer === undefined) this.#next();
  }

  /** Passes on all that is left. */
  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    while (this.#waiting.length > 0) this.#pass();
  }

  #next(): void {
    this.#pass();
    if (this.#waiting.length === 0) return;
    this.#timer = this.#options.clock.setTimer(0, () => {
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
