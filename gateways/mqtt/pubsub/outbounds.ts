/**
 * The subscribing halves of one shard's sessions: those that wrote something in this turn are sent
 * on at its end, and those that have more to send go on after other work.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import { Outbound, type OutboundOptions, type OutboundShared } from "./outbound.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { Unfinished } from "./shared_hold.ts";

export interface OutboundsOptions extends Pick<OutboundShared, "queue" | "inFlightMax" | "stats"> {
  readonly clock: Clock;
  /** Ends a turn of its own, in which some went on. */
  flush(): void;
}

/** See the module. */
export class Outbounds implements OutboundShared {
  readonly queue: QueueLimits;
  readonly inFlightMax: number;
  readonly stats: PubSubStats;
  readonly #options: OutboundsOptions;
  readonly #written = new Set<Outbound>();
  readonly #waiting = new Set<Outbound>();
  #timer: Timer | undefined;

  constructor(options: OutboundsOptions) {
    this.#options = options;
    this.queue = options.queue;
    this.inFlightMax = options.inFlightMax;
    this.stats = options.stats;
  }

  open(options: OutboundOptions): Outbound {
    return new Outbound(options, this);
  }

  /** The session is over. Gives what another member of a shared subscription is to have. */
  forget(outbound: Outbound): Unfinished[] {
    this.#written.delete(outbound);
    this.#waiting.delete(outbound);
    return outbound.close();
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

  // --- For each of them.

  now(): number {
    return this.#options.clock.now();
  }

  wrote(outbound: Outbound): void {
    this.#written.add(outbound);
  }

  again(outbound: Outbound): void {
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
