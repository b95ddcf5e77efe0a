/**
 * The subscribing halves of one shard's sessions: those that wrote something in this turn are sent
 * on at its end, and those that have more to send go on after other work.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import { Outbound, type OutboundOptions } from "./outbound.ts";
import type { PubSubStats } from "./pubsub_stats.ts";

export interface OutboundsOptions {
  readonly clock: Clock;
  readonly queue: QueueLimits;
  /** QoS 1 and 2 messages on their way to one subscriber. */
  readonly inFlightMax: number;
  readonly stats: PubSubStats;
  /** Ends a turn of its own, in which some went on. */
  flush(): void;
}

/** Where a session's subscriber comes from. */
export type SubscriberOptions =
  & Pick<OutboundOptions, "version" | "sink" | "client">
  & Partial<Pick<OutboundOptions, "kept" | "quota">>;

/** See the module. */
export class Outbounds {
  readonly #options: OutboundsOptions;
  readonly #written = new Set<Outbound>();
  readonly #waiting = new Set<Outbound>();
  #timer: Timer | undefined;

  constructor(options: OutboundsOptions) {
    this.#options = options;
  }

  open(options: SubscriberOptions): Outbound {
    const { clock, queue, inFlightMax, stats } = this.#options;
    return new Outbound({
      ...options,
      kept: options.kept,
      quota: options.quota,
      queue,
      inFlightMax,
      stats,
      now: () => clock.now(),
      wrote: (outbound) => this.#written.add(outbound),
      again: (outbound) => this.#again(outbound),
    });
  }

  /** The session is over. */
  forget(outbound: Outbound): void {
    outbound.close();
    this.#written.delete(outbound);
    this.#waiting.delete(outbound);
  }

  /** Sends on what was written since the last call. */
  flush(): void {
    if (this.#written.size === 0) return;
    for (const outbound of this.#written) outbound.flush();
    this.#written.clear();
  }

  close(): void {
    this.#timer?.clear();
  }

  #again(outbound: Outbound): void {
    this.#waiting.add(outbound);
    this.#timer ??= this.#options.clock.setTimer(0, () => {
      this.#timer = undefined;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const outbound of waiting) outbound.pump();
      this.#options.flush();
    });
  }
}
