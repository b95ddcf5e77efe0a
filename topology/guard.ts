/**
 * What all Workers know together of those who send: their rates, how they connect, who is banned,
 * and roughly who is connected. Made once, given to every Worker at its start, and read by each
 * through a view of its own.
 *
 * @module
 */
import { hasLimits, type LimitedAccount, OwnLimits } from "../actors/rates/account_limits.ts";
import {
  accountQuotasBytes,
  type AccountQuotasMemory,
  accountQuotasMemory,
  type QuotaWorkers,
} from "../actors/rates/account_quotas.ts";
import type { Ban, BanClient } from "../actors/rates/ban.ts";
import { Bans, bansBytes, type BansMemory, bansMemory } from "../actors/rates/bans.ts";
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
import { random32 } from "../runtime/random.ts";
import { markTime, sharedTime, type TimeMark } from "../runtime/shared_time.ts";

const log = logger("limits");

/** Between two looks at who is banned. */
const bansPauseMs = 200;

/** What a Worker starts with. */
export interface GuardInit {
  readonly time: TimeMark;
  readonly rates: RatesMemory | undefined;
  readonly gate: GateMemory;
  /** How many sessions each shard has, by the hash of their keys. */
  readonly sessions: SharedArrayBuffer;
  readonly bans: BansMemory;
  readonly quotas: AccountQuotasMemory;
}

/** The kernel does not divide connections evenly. */
const connectionsSlack = 1_024;

/** Connections that a shard has at most. */
export const shardConnectionsMax = ({ connectionsMax }: Config["mqtt"], shards: number): number =>
  Math.ceil(connectionsMax / shards) + connectionsSlack;

const quotaWorkers = (mqtt: Config["mqtt"], shards: number): QuotaWorkers => ({
  workers: shards,
  sessionsEach: shardConnectionsMax(mqtt, shards),
});

/** Bytes that all Workers share. HTTP is a Worker beside the shards. */
export function guardBytes({ limits, auth, mqtt }: Config, shards: number): number {
  return ratesBytes(limits.rates, auth.required) + gateBytes(limits.connections, shards + 1) +
    sharedCountsBytes(shards) + bansBytes(limits.flapping) +
    accountQuotasBytes(limits.accounts, quotaWorkers(mqtt, shards), auth.required);
}

/** The main thread's part: it holds the memory. */
export class GuardMemory {
  readonly #rates: RatesMemory | undefined;
  readonly #gate: GateMemory;
  readonly #sessions: SharedArrayBuffer;
  readonly bans: BansMemory;
  readonly #quotas: AccountQuotasMemory;

  constructor({ limits, auth, mqtt }: Config, shards: number) {
    const seed = random32();
    this.#rates = ratesMemory(limits.rates, seed, auth.required);
    this.#gate = gateMemory(limits.connections, shards + 1, seed);
    this.#sessions = sharedCountsMemory(shards);
    this.bans = bansMemory(limits.flapping, seed);
    this.#quotas = accountQuotasMemory(
      limits.accounts,
      quotaWorkers(mqtt, shards),
      seed,
      auth.required,
    );
  }

  /** For a Worker that starts now. */
  init(): GuardInit {
    const time = markTime(systemClock);
    return {
      time,
      rates: this.#rates,
      gate: this.#gate,
      sessions: this.#sessions,
      bans: this.bans,
      quotas: this.#quotas,
    };
  }
}

/** A Worker's part. */
export class Guard {
  /** What accounts have of their own. */
  readonly limits = new OwnLimits();
  /** Absent when there are no rates. */
  readonly rates: Rates | undefined;

  readonly #gate: ConnectionGate;
  readonly #bans: Bans;
  readonly #clock: Clock;

  /**
   * `worker` is the number of this one; HTTP's follows the shards'. `report` tells the main thread
   * of a ban; false: it was not heard.
   */
  constructor(
    { time, rates, gate, bans }: GuardInit,
    { limits }: Config,
    worker: number,
    report: (ban: Ban) => boolean,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    const sharedMs = sharedTime(time, clock);
    const specs = limits.connections;
    this.#gate = new ConnectionGate({ memory: gate, specs, worker, sharedMs });
    this.#bans = new Bans({
      memory: bans,
      specs: limits.flapping,
      now: () => clock.now(),
      sharedMs,
      onBanned: (ban) => {
        const { key, untilMs } = ban;
        const listed = report(ban);
        log.warn("banned: its connections end too often", {
          key,
          until: new Date(untilMs).toISOString(),
          ...(listed ? {} : { listed }),
        });
      },
    });
    this.rates = rates && new Rates({
      memory: rates,
      specs: limits.rates,
      clock,
      sharedMs,
      onHeld: (subject, { deviceId, topic }, waitMs) =>
        log.info("a sender is over its rate and waits", {
          of: subject,
          ...(deviceId !== undefined && { device: deviceId }),
          topic,
          waitMs: Math.ceil(waitMs),
        }),
    });
  }

  /** Accounts have these limits of their own from now on; with `all`, others have none. */
  setLimits(accounts: readonly LimitedAccount[], all: boolean): void {
    const named = new Set(accounts.map(({ name }) => name));
    const gone = all ? [...this.limits].filter(({ name }) => !named.has(name)) : [];
    // Most accounts that are new have none, and had none.
    const changed = [...gone.map(({ name }) => ({ name, limits: {} })), ...accounts]
      .filter(({ name, limits }) => hasLimits(limits) || hasLimits(this.limits.of(name)));
    const taken = changed.filter((one) => this.limits.set(one));
    if (taken.length > 0) this.rates?.setOwn(taken);
  }

  /** Who sends, as rates know it. An empty account is nobody's. */
  senderOf(account: string, address: string): Sender | undefined {
    const { rates } = this;
    return rates && {
      account: account === "" ? 0 : rates.keyOf(account),
      address: address === "" ? 0 : rates.keyOf(networkOf(address)),
    };
  }

  /** Whether {@linkcode enter} may say no. */
  get limitsConnections(): boolean {
    return this.#gate.limits;
  }

  /** Whether {@linkcode ended} does anything. */
  get countsEnds(): boolean {
    return this.#bans.counting;
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

  /** Another one after every ban. */
  get bansVersion(): number {
    return this.#bans.version;
  }

  /**
   * Calls `changed` after every ban, whoever made it, for as long as the Worker lives. Bans that
   * come close together are one change: each costs a look at all who are connected.
   */
  async watchBans(changed: () => void): Promise<never> {
    for (let seen = this.bansVersion;;) {
      await this.#bans.changed(seen);
      seen = this.bansVersion;
      changed();
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(bansPauseMs, resolve);
      });
    }
  }

  /** When a client may come again, wall time in ms; 0: it is not banned. */
  bannedUntilMs({ address, ...client }: BanClient): number {
    if (this.bansVersion === 0) return 0;
    return this.#bans.untilMs({ ...client, address: networkOf(address) });
  }

  /** The same, for one that wants to connect: counted and logged. */
  banned(client: BanClient): number {
    const untilMs = this.bannedUntilMs(client);
    if (untilMs > 0) {
      this.#bans.refused++;
      log.info("a connection is not let in", { ...client, reason: "banned" });
    }
    return untilMs;
  }

  /** A client that was connected has gone. */
  ended({ address, ...client }: BanClient): void {
    if (this.#bans.counting) this.#bans.ended({ ...client, address: networkOf(address) });
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
    counters[`sluice_connections_refused_total{reason="banned"}`] = this.#bans.refused;
    for (const [subject, count] of Object.entries(this.#bans.made)) {
      counters[`sluice_bans_total{subject="${subject}"}`] = count;
    }
    return counters;
  }
}

/** Our own main thread made it: what is checked is that it is one at all. */
export function isGuardInit(value: unknown): value is GuardInit {
  return typeof value === "object" && value !== null && "time" in value && "rates" in value &&
    "gate" in value && "sessions" in value && "bans" in value &&
    "quotas" in value;
}
