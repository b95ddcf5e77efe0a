/**
 * What all Workers know together of those who send: their rates, how they connect, and roughly who
 * is connected. Made once, given to every Worker at its start, and read by each through a view of
 * its own.
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
import {
  ConnectionGate,
  gateBytes,
  type GateMemory,
  gateMemory,
  type GateReason,
} from "../actors/rates/connection_gate.ts";
import { sharedCountsBytes, sharedCountsMemory } from "../actors/rates/shared_counts.ts";
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
  readonly gate: GateMemory;
  /** How many sessions each shard has, by the hash of their keys. */
  readonly sessions: SharedArrayBuffer;
}

/** Bytes that all Workers share. HTTP is a Worker beside the shards. */
export function guardBytes({ limits }: Config, shards: number): number {
  return ratesBytes(limits.rates) + gateBytes(limits.connections, shards + 1) +
    sharedCountsBytes(shards);
}

/** The main thread's part: it holds the memory. */
export class GuardMemory {
  readonly #rates: RatesMemory | undefined;
  readonly #gate: GateMemory;
  readonly #sessions: SharedArrayBuffer;

  constructor({ limits }: Config, shards: number) {
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.#rates = ratesMemory(limits.rates, seed);
    this.#gate = gateMemory(limits.connections, shards + 1, seed);
    this.#sessions = sharedCountsMemory(shards);
  }

  /** For a Worker that starts now. */
  init(): GuardInit {
    const time = markTime(systemClock);
    return { time, rates: this.#rates, gate: this.#gate, sessions: this.#sessions };
  }
}

/** A Worker's part. */
export class Guard {
  /** Absent when there are no rates. */
  readonly rates: Rates | undefined;

  readonly #gate: ConnectionGate;

  /** `worker` is the number of this one; HTTP's follows the shards'. */
  constructor(
    { time, rates, gate }: GuardInit,
    { limits }: Config,
    worker: number,
    clock: Clock = systemClock,
  ) {
    const sharedMs = sharedTime(time, clock);
    const specs = limits.connections;
    this.#gate = new ConnectionGate({ memory: gate, specs, worker, sharedMs });
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

  /** Lets a connection in, or says why not. */
  enter(address: string): GateReason | undefined {
    const reason = this.#gate.enter(networkOf(address));
    if (reason !== undefined) log.info("a connection is not let in", { address, reason });
    return reason;
  }

  /** A connection that was let in has ended. */
  left(address: string): void {
    this.#gate.left(networkOf(address));
  }

  /** By metric name. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {};
    for (const [subject, count] of Object.entries(this.rates?.held ?? {})) {
      counters[`sluice_rate_limited_total{subject="${subject}"}`] = count;
    }
    for (const [reason, count] of Object.entries(this.#gate.refused)) {
      counters[`sluice_connections_refused_total{reason="${reason}"}`] = count;
    }
    return counters;
  }
}

/** Our own main thread made it: what is checked is that it is one at all. */
export function isGuardInit(value: unknown): value is GuardInit {
  return typeof value === "object" && value !== null && "time" in value && "rates" in value &&
    "gate" in value && "sessions" in value;
}
