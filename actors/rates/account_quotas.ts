/**
 * What one account may have at once, over all Workers: sessions and subscriptions. A Worker that is
 * lost takes along what it had counted.
 *
 * @module
 */
import type { OwnLimits } from "./account_limits.ts";
import { rateKey } from "./rate_key.ts";
import { SharedCounts, sharedCountsBytes, sharedCountsMemory } from "./shared_counts.ts";
import { SharedKeys, sharedKeysBytes, sharedKeysMemory } from "./shared_keys.ts";

/** As in the configuration. */
export interface AccountQuotaSpecs {
  readonly sessionsMax: number | undefined;
  readonly subscriptionsMax: number | undefined;
}

/** What all Workers share. */
export interface AccountQuotasMemory {
  readonly seed: number;
  readonly sessions: SharedArrayBuffer | undefined;
  /** Of the sessions that are counted. */
  readonly keys: SharedArrayBuffer | undefined;
  readonly subscriptions: SharedArrayBuffer | undefined;
}

/** `mayBeSet`: accounts may get limits of their own while it runs. */
const isCounted = (max: number | undefined, mayBeSet: boolean): boolean =>
  mayBeSet || max !== undefined;

/** Of how many Workers, and how many sessions each has at most. */
export interface QuotaWorkers {
  readonly workers: number;
  readonly sessionsEach: number;
}

/** Bytes of {@linkcode accountQuotasMemory}. */
export function accountQuotasBytes(
  { sessionsMax, subscriptionsMax }: AccountQuotaSpecs,
  { workers, sessionsEach }: QuotaWorkers,
  mayBeSet: boolean,
): number {
  const counts = [sessionsMax, subscriptionsMax].filter((max) => isCounted(max, mayBeSet)).length;
  return counts * sharedCountsBytes(workers) +
    (isCounted(sessionsMax, mayBeSet) ? sharedKeysBytes(workers, sessionsEach) : 0);
}

export function accountQuotasMemory(
  { sessionsMax, subscriptionsMax }: AccountQuotaSpecs,
  { workers, sessionsEach }: QuotaWorkers,
  seed: number,
  mayBeSet: boolean,
): AccountQuotasMemory {
  const sessions = isCounted(sessionsMax, mayBeSet);
  return {
    seed,
    sessions: sessions ? sharedCountsMemory(workers) : undefined,
    keys: sessions ? sharedKeysMemory(workers, sessionsEach) : undefined,
    subscriptions: isCounted(subscriptionsMax, mayBeSet) ? sharedCountsMemory(workers) : undefined,
  };
}

/** The subscriptions of one session, as its account's quota sees them. */
export interface SubscriptionQuota {
  /** The account has as many as it may have. */
  readonly full: boolean;
  /** The session has so many now. */
  counted(count: number): void;
}

/** Sessions of an account that have their places elsewhere. */
export interface PlacesElsewhere {
  /** The client that comes has one, which it takes over. */
  readonly own: boolean;
  /** How many there are, but for the client's own; counted to one beyond `max`. */
  count(max: number): number;
}

/** Where a session has its place: counted here, or elsewhere; `undefined`: there is none for it. */
export type Entered = "here" | "elsewhere" | undefined;

/** See the module. Whoever has no account has no quota. */
export class AccountQuotas {
  /** Sessions that were not let in. */
  sessionsRefused = 0;
  readonly #specs: AccountQuotaSpecs;
  readonly #limits: Pick<OwnLimits, "of">;
  readonly #seed: number;
  readonly #sessions: SharedCounts | undefined;
  readonly #keys: SharedKeys | undefined;
  readonly #subscriptions: SharedCounts | undefined;

  /** `worker` of `workers` is this one; `limits` are those that accounts have of their own. */
  constructor(
    memory: AccountQuotasMemory,
    specs: AccountQuotaSpecs,
    limits: Pick<OwnLimits, "of">,
    workers: number,
    worker: number,
  ) {
    const { seed, sessions, keys, subscriptions } = memory;
    this.#specs = specs;
    this.#limits = limits;
    this.#seed = seed;
    this.#sessions = sessions && new SharedCounts(sessions, worker);
    this.#keys = keys && new SharedKeys(keys, workers, worker, seed);
    this.#subscriptions = subscriptions && new SharedCounts(subscriptions, worker);
  }

  /**
   * Takes a place for the session of this key, which is its account's own. One that takes over
   * another's always has one. `elsewhere` tells of places that are not counted here; they are
   * counted when the place is taken, so that of two that come at once no one overlooks the other.
   */
  enter(account: string, key: string, elsewhere: () => PlacesElsewhere): Entered {
    const sessions = this.#sessions;
    if (sessions === undefined || account === "") return "here";
    const max = this.#maxOf(account, "sessionsMax");
    const known = max === Infinity || this.#keys?.has(key) === true;
    const places = known ? undefined : elsewhere();
    if (places?.own) return "elsewhere";
    const counted = rateKey(account, this.#seed);
    sessions.add(counted);
    if (places !== undefined && countOf(sessions, counted, places, max) > max) {
      sessions.remove(counted);
      this.sessionsRefused++;
      return undefined;
    }
    this.#keys?.add(key);
    return "here";
  }

  /** Takes a place for a session that gives one up elsewhere, once it has this one. */
  take(account: string, key: string): void {
    if (account === "") return;
    this.#sessions?.add(rateKey(account, this.#seed));
    this.#keys?.add(key);
  }

  /** A session that had a place has ended, or has one elsewhere by now. */
  left(account: string, key: string): void {
    if (account === "") return;
    this.#sessions?.remove(rateKey(account, this.#seed));
    this.#keys?.remove(key);
  }

  /** For a session of the account; `undefined` where there can be no quota. */
  subscriptionsOf(account: string): SubscriptionQuota | undefined {
    const counts = this.#subscriptions;
    if (counts === undefined || account === "") return undefined;
    const maxOf = () => this.#maxOf(account, "subscriptionsMax");
    const key = rateKey(account, this.#seed);
    let own = 0;
    return {
      get full() {
        const max = maxOf();
        return max !== Infinity && counts.of(key) >= max;
      },
      counted(count) {
        counts.add(key, count - own);
        own = count;
      },
    };
  }

  #maxOf(account: string, of: keyof AccountQuotaSpecs): number {
    return this.#limits.of(account)[of] ?? this.#specs[of] ?? Infinity;
  }
}

/**
 * Places here and elsewhere. They move: one that comes here is counted here before it ends there, and
 * one that goes is counted there first. So looking here twice overlooks none.
 */
function countOf(
  sessions: SharedCounts,
  counted: number,
  elsewhere: PlacesElsewhere,
  max: number,
): number {
  const before = sessions.of(counted);
  const count = elsewhere.count(max);
  return Math.max(before, sessions.of(counted)) + count;
}
