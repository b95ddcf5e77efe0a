/**
 * The rates of devices, accounts and addresses in one Worker: decides whether a message is taken
 * now, and tells its origin to go on when it may be. Held back is the whole origin, for what it
 * sends is in order; the bytes stay in its socket and nothing is lost.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Origin } from "../intake.ts";
import type { TopicEntry } from "../reading.ts";
import type { LimitedAccount } from "./account_limits.ts";
import { OwnRates, ownRatesBytes, ownRatesMemory } from "./own_rates.ts";
import { parseRate } from "./rate_limit.ts";
import { rateKey } from "./rate_key.ts";
import { RateTable, rateTableBytes, rateTableMemory } from "./rate_table.ts";

/** Whom a rate is for. */
export const rateSubjects = ["device", "account", "address"] as const;
export type RateSubject = typeof rateSubjects[number];

/** As in the configuration: each a rate as text, or none. */
export type RateSpecs =
  & Readonly<
    Record<
      RateSubject,
      { readonly messages: string | undefined; readonly points: string | undefined }
    >
  >
  & {
    /** Of single accounts, for parseAccountRate. */
    readonly accounts?: readonly string[];
  };

/** What all Workers share. Those without a rate have no table. */
export interface RatesMemory {
  readonly seed: number;
  readonly tables: Readonly<Partial<Record<RateSubject, SharedArrayBuffer>>>;
  /** Of the accounts with a rate of their own. */
  readonly own: SharedArrayBuffer | undefined;
}

/** Who stands behind an origin. Keys of {@linkcode Rates.keyOf}; 0: nobody that is known. */
export interface Sender {
  readonly account: number;
  readonly address: number;
}

const partsOf = (text: string | undefined) => text === undefined ? [] : parseRate(text);

const limitsOf = (specs: RateSpecs, subject: RateSubject): number =>
  partsOf(specs[subject].messages).length + partsOf(specs[subject].points).length;

const hasOwn = ({ accounts = [] }: RateSpecs, mayBeSet: boolean): boolean =>
  mayBeSet || accounts.length > 0;

/** Bytes of {@linkcode ratesMemory}. */
export function ratesBytes(specs: RateSpecs, mayBeSet = false): number {
  return rateSubjects.reduce((sum, subject) => {
    const limits = limitsOf(specs, subject);
    return limits === 0 ? sum : sum + rateTableBytes(limits);
  }, hasOwn(specs, mayBeSet) ? ownRatesBytes : 0);
}

/**
 * Memory for {@linkcode Rates}; `undefined` when there are no rates. `seed` is random, 32 bits;
 * `mayBeSet`: accounts may get rates of their own while it runs.
 */
export function ratesMemory(
  specs: RateSpecs,
  seed: number,
  mayBeSet = false,
): RatesMemory | undefined {
  const tables: Partial<Record<RateSubject, SharedArrayBuffer>> = {};
  for (const subject of rateSubjects) {
    const limits = limitsOf(specs, subject);
    if (limits > 0) tables[subject] = rateTableMemory(limits);
  }
  const own = hasOwn(specs, mayBeSet) ? ownRatesMemory() : undefined;
  return Object.keys(tables).length === 0 && own === undefined ? undefined : { seed, tables, own };
}

/** What a held message is about. One that no route takes has no device. */
export type HeldMessage = Pick<TopicEntry, "topic"> & Partial<Pick<TopicEntry, "deviceId">>;

export interface RatesOptions {
  readonly memory: RatesMemory;
  readonly specs: RateSpecs;
  readonly clock: Clock;
  /** A time that is the same in all Workers, ms; never 0. */
  readonly sharedMs: () => number;
  /** An origin is held back: whose rate it is over, and for how long. */
  readonly onHeld?: (subject: RateSubject, of: HeldMessage, waitMs: number) => void;
}

/** A timer is no finer. */
const waitMsMin = 1;
const waitMsMax = 0x7fff_ffff;

/** What is in the way of a message; `account` is 0 unless it is that one's rate. */
interface Over {
  readonly subject: RateSubject;
  readonly waitMs: number;
  readonly account: number;
}

/** An origin that waits. */
interface Held {
  readonly timer: Timer;
  readonly account: number;
}

/** See the module. */
export class Rates {
  /** Times an origin was held back, by whose rate. */
  readonly held: Record<RateSubject, number> = { device: 0, account: 0, address: 0 };
  readonly #options: RatesOptions;
  readonly #device: RateTable | undefined;
  readonly #account: RateTable | undefined;
  readonly #own: OwnRates | undefined;
  /** The configuration has a rate of points. */
  readonly #countsPoints: boolean;
  readonly #address: RateTable | undefined;
  readonly #waiting = new Map<Origin, Held>();
  /** The time of this turn; 0: to be asked for. */
  #nowMs = 0;

  constructor(options: RatesOptions) {
    const { memory, specs } = options;
    this.#options = options;
    const tableOf = (subject: RateSubject): RateTable | undefined => {
      const shared = memory.tables[subject];
      const { messages, points } = specs[subject];
      return shared && new RateTable(shared, partsOf(messages), partsOf(points));
    };
    this.#device = tableOf("device");
    this.#account = tableOf("account");
    this.#address = tableOf("address");
    this.#own = memory.own && new OwnRates(memory.own, memory.seed, specs);
    this.#countsPoints = rateSubjects.some((subject) => specs[subject].points !== undefined);
  }

  /** Whether points are to be counted for somebody. */
  get countsPoints(): boolean {
    return this.#countsPoints || this.#own?.countPoints === true;
  }

  /** These accounts have these limits from now on. Who waits for theirs is looked at anew. */
  setOwn(accounts: Iterable<LimitedAccount>): void {
    const changed = new Set<number>();
    for (const { name, limits } of accounts) {
      this.#own?.set(name, limits);
      changed.add(this.keyOf(name));
    }
    for (const [origin, held] of [...this.#waiting]) {
      // One that went on before it may have ended this one, or had it held anew.
      if (!changed.has(held.account) || this.#waiting.get(origin) !== held) continue;
      held.timer.clear();
      this.#waiting.delete(origin);
      origin.resume();
    }
  }

  keyOf(name: string): number {
    return rateKey(name, this.#options.memory.seed);
  }

  /** Takes a message, or holds its origin back until it may come: false. */
  admit(origin: Origin, sender: Sender, entry: TopicEntry): boolean {
    if (this.#idle) return true;
    const nowMs = this.#nowMs ||= this.#options.sharedMs();
    if (this.#device !== undefined) {
      const waitMs = this.#device.take(this.#deviceKey(entry), nowMs);
      if (waitMs > 0) return this.#hold(origin, { subject: "device", waitMs, account: 0 }, entry);
    }
    const held = this.#takeOf(sender, nowMs);
    if (held === undefined) return true;
    this.#device?.giveBack(this.#deviceKey(entry), nowMs);
    return this.#hold(origin, held, entry);
  }

  /** The same for a message that no route takes: it is its account's and its address's alone. */
  admitUnrouted(origin: Origin, sender: Sender, topic: () => string): boolean {
    const held = this.#takeOf(sender, this.#nowMs ||= this.#options.sharedMs());
    return held === undefined || this.#hold(origin, held, { topic: topic() });
  }

  /**
   * Takes a message that is offered to no intake: 0, or after how many ms it may come. Nobody is told
   * to go on.
   */
  takeMessage(sender: Sender): number {
    const held = this.#takeOf(sender, this.#now());
    if (held === undefined) return 0;
    this.held[held.subject]++;
    return held.waitMs;
  }

  /** Spends one of the account and one of the address; or neither, and says whose rate it is over. */
  #takeOf(
    { account, address }: Sender,
    nowMs: number,
  ): Over | undefined {
    const own = this.#own?.of(account);
    const accounts = account === 0 ? undefined : own?.table ?? this.#account;
    const key = own?.key ?? account;
    if (accounts !== undefined) {
      const waitMs = accounts.take(key, nowMs);
      if (waitMs > 0) return { subject: "account", waitMs, account };
    }
    if (this.#address !== undefined && address !== 0) {
      const waitMs = this.#address.take(address, nowMs);
      if (waitMs > 0) {
        accounts?.giveBack(key, nowMs);
        return { subject: "address", waitMs, account: 0 };
      }
    }
    return undefined;
  }

  /**
   * The message turned out to hold so many points. Its first is spent already. False: nobody's points
   * are counted now.
   */
  spentByDevice(entry: TopicEntry, points: number): boolean {
    if (points > 1) this.#device?.charge(this.#deviceKey(entry), points - 1, this.#now());
    return this.countsPoints;
  }

  /** The same, for the account and the address. `further` are the points beyond each one's first. */
  spentBySender({ account, address }: Sender, further: number): void {
    if (further <= 0) return;
    const own = this.#own?.of(account);
    if (own !== undefined) own.table.charge(own.key, further, this.#now());
    else if (account !== 0) this.#account?.charge(account, further, this.#now());
    if (address !== 0) this.#address?.charge(address, further, this.#now());
  }

  /** How long the next message of a device would wait, in ms. */
  deviceWaitMs(deviceId: string): number {
    return this.#device?.waitMs(this.keyOf(deviceId), this.#options.sharedMs()) ?? 0;
  }

  /** The turn has ended: time goes on. */
  turned(): void {
    this.#nowMs = 0;
  }

  forget(origin: Origin): void {
    this.#waiting.get(origin)?.timer.clear();
    this.#waiting.delete(origin);
  }

  /** Nobody has a rate. */
  get #idle(): boolean {
    return this.#device === undefined && this.#account === undefined &&
      this.#address === undefined && this.#own?.size === 0;
  }

  #now(): number {
    return this.#options.sharedMs();
  }

  #deviceKey(entry: TopicEntry): number {
    return entry.rateKey ||= this.keyOf(entry.deviceId);
  }

  #hold(origin: Origin, { subject, waitMs, account }: Over, of: HeldMessage): false {
    this.#nowMs = 0;
    this.held[subject]++;
    this.#options.onHeld?.(subject, of, waitMs);
    origin.rateLimited?.(waitMs);
    if (this.#waiting.has(origin)) return false;
    const timer = this.#options.clock.setTimer(
      Math.min(waitMsMax, Math.max(waitMsMin, waitMs)),
      () => {
        this.#waiting.delete(origin);
        origin.resume();
      },
    );
    this.#waiting.set(origin, { timer, account });
    return false;
  }
}
