/**
 * What all Workers know together of those who send: their rates. Made once, given to every Worker
 * at its start, and read by each through a view of its own.
 *
 * @module
 */
import {
  Rates,
  ratesBytes,
  type RatesMemory,
  ratesMemory,
  type Sender,
} from "../actors/rates/rates.ts";
import type { Config } from "../config.ts";
import { networkOf } from "../gateways/auth/login_limits.ts";
import { logger } from "../gateways/log/log.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { markTime, sharedTime, type TimeMark } from "../runtime/shared_time.ts";

const log = logger("limits");

/** What a Worker starts with. */
export interface GuardInit {
  readonly time: TimeMark;
  readonly rates: RatesMemory | undefined;
}

/** Bytes that all Workers share. */
export function guardBytes({ limits }: Config): number {
  return ratesBytes(limits.rates);
}

/** The main thread's part: it holds the memory. */
export class GuardMemory {
  readonly #rates: RatesMemory | undefined;

  constructor({ limits }: Config) {
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#rates = ratesMemory(limits.rates, seed);
  }

  /** For a Worker that starts now. */
  init(): GuardInit {
    return { time: markTime(systemClock), rates: this.#rates };
  }
}

/** A Worker's part. */
export class Guard {
  /** Absent when there are no rates. */
  readonly rates: Rates | undefined;

  constructor({ time, rates }: GuardInit, { limits }: Config, clock: Clock = systemClock) {
    const sharedMs = sharedTime(time, clock);
    this.rates = rates && new Rates({
      memory: rates,
      specs: limits.rates,
      clock,
      sharedMs,
      onHeld: (subject, { deviceId, topic }, waitMs) =>
        log.info("a sender is over its rate and waits", {
          of: subject,
          device: deviceId,
          topic,
          waitMs: Math.ceil(waitMs),
        }),
    });
  }

  /** Who sends, as rates know it. An empty account is nobody's. */
  senderOf(account: string, address: string): Sender | undefined {
    const { rates } = this;
    return rates && {
      account: account === "" ? 0 : rates.keyOf(account),
      address: address === "" ? 0 : rates.keyOf(networkOf(address)),
    };
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.rates?.held ?? {}).map((
        [subject, count],
      ) => [`sluice_rate_limited_total{subject="${subject}"}`, count]),
    );
  }
}

/** Our own main thread made it: what is checked is that it is one at all. */
export function isGuardInit(value: unknown): value is GuardInit {
  return typeof value === "object" && value !== null && "time" in value && "rates" in value;
}
