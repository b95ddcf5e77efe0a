/**
 * What one account may have at once, over all Workers: sessions and subscriptions. A Worker that is
 * lost takes along what it had counted.
 *
 * @module
 */
import { rateKey } from "./rate_key.ts";
import { SharedCounts, sharedCountsBytes, sharedCountsMemory } from "./shared_counts.ts";

/** As in the configuration. */
export interface AccountQuotaSpecs {
  readonly sessionsMax: number | undefined;
  readonly subscriptionsMax: number | undefined;
}

/** What all Workers share. */
export interface AccountQuotasMemory {
  readonly seed: number;
  readonly sessions: SharedArrayBuffer | undefined;
  readonly subscriptions: SharedArrayBuffer | undefined;
}

/** Bytes of {@linkcode accountQuotasMemory}. */
export function accountQuotasBytes(specs: AccountQuotaSpecs, workers: number): number {
  return [specs.sessionsMax, specs.subscriptionsMax].filter((max) => max !== undefined).length *
    sharedCountsBytes(workers);
}

export function accountQuotasMemory(
  { sessionsMax, subscriptionsMax }: AccountQuotaSpecs,
  workers: number,
  seed: number,
): AccountQuotasMemory {
  return {
    seed,
    sessions: sessionsMax === undefined ? undefined : sharedCountsMemory(workers),
    subscriptions: subscriptionsMax === undefined ? undefined : sharedCountsMemory(workers),
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
  readonly count: number;
  /** The client that comes has one, here or there, which it takes over. */
  readonly own: boolean;
}

/** See the module. Whoever has no account has no quota. */
export class AccountQuotas {
  /** Sessions that were not let in. */
  sessionsRefused = 0;
  readonly #specs: AccountQuotaSpecs;
  readonly #seed: number;
  readonly #sessions: SharedCounts | undefined;
  readonly #subscriptions: SharedCounts | undefined;

  /** `worker` is the number of this one. */
  constructor(memory: AccountQuotasMemory, specs: AccountQuotaSpecs, worker: number) {
    const { seed, sessions, subscriptions } = memory;
    this.#specs = specs;
    this.#seed = seed;
    this.#sessions = sessions && new SharedCounts(sessions, worker);
    this.#subscriptions = subscriptions && new SharedCounts(subscriptions, worker);
  }

  /**
   * Takes a place for a session; false: there is none. `elsewhere` tells of places that are not
   * counted here; it is asked when the place is taken, so that of two that come at once no one
   * overlooks the other.
   */
  enter(account: string, elsewhere: () => PlacesElsewhere): boolean {
    const { sessionsMax = Infinity } = this.#specs;
    if (this.#sessions === undefined || account === "") return true;
    const key = rateKey(account, this.#seed);
    this.#sessions.add(key);
    const { count, own } = elsewhere();
    if (own || this.#sessions.of(key) + count <= sessionsMax) return true;
    this.#sessions.remove(key);
    this.sessionsRefused++;
    return false;
  }

  /** A session that had a place has ended, or has one elsewhere by now. */
  left(account: string): void {
    if (account !== "") this.#sessions?.remove(rateKey(account, this.#seed));
  }

  /** For a session of the account; `undefined` where there is no quota. */
  subscriptionsOf(account: string): SubscriptionQuota | undefined {
    const { subscriptionsMax } = this.#specs;
    const counts = this.#subscriptions;
    if (counts === undefined || subscriptionsMax === undefined || account === "") return undefined;
    const key = rateKey(account, this.#seed);
    let own = 0;
    return {
      get full() {
        return counts.of(key) >= subscriptionsMax;
      },
      counted(count) {
        counts.add(key, count - own);
        own = count;
      },
    };
  }
}
