/**
 * Kept sessions by the accounts they are of: how many those have, what they may do now, and when they
 * are no more.
 *
 * @module
 */
import type { PlacesElsewhere } from "../../../actors/rates/account_quotas.ts";
import { parseFilter } from "../pubsub/filter.ts";
import type { KeptDirectory } from "./kept_directory.ts";
import type { KeptPermit, KeptSessionsOptions } from "./kept_options.ts";
import type { KeptSession } from "./kept_session.ts";
import type { KeptStore } from "./kept_store.ts";
import { decodeWill } from "./will_record.ts";

export interface KeptAccountsOptions
  extends Pick<KeptSessionsOptions, "shard" | "shards" | "stats"> {
  /** Wall time in ms, once the times in the file have followed it. */
  readonly now: () => number;
  readonly store: KeptStore;
  readonly directory: KeptDirectory;
  readonly home: {
    /** Ends these sessions. False: not all of them. */
    end(ids: readonly number[]): boolean;
    /** False when it could not be written. */
    unsubscribe(session: KeptSession, names: readonly string[]): boolean;
  };
}

const utf8 = new TextEncoder();
/** A session that lasts longer than this is still there when it is claimed. */
const placeMs = 5_000;

/** See the module. */
export class KeptAccounts {
  readonly #options: KeptAccountsOptions;

  constructor(options: KeptAccountsOptions) {
    this.#options = options;
  }

  /** Those that have sessions: all of them, or those this shard is to look after. */
  names(which: "all" | "mine"): Set<string> {
    const { shard, shards, directory } = this.#options;
    const names = new Set<string>();
    for (const { id, account } of directory.values()) {
      if (account !== "" && (which === "all" || id % shards === shard)) names.add(account);
    }
    return names;
  }

  /** What an account has of them; nothing while the file fails, for then nobody gets one. */
  places(account: string, key: string): PlacesElsewhere {
    const { now, store } = this.#options;
    const nowMs = now();
    const lastsMs = account === ""
      ? 0
      : store.use(({ lives }) => lives.lastsMs(account, key, nowMs)) ?? 0;
    const own = lastsMs > placeMs;
    return {
      own,
      count: (max) => {
        const count = store.use(({ lives }) => lives.countOf(account, max, nowMs)) ?? 0;
        // The one that is about to be over, and is counted where its client is.
        return lastsMs > 0 && !own ? Math.max(0, count - 1) : count;
      },
    };
  }

  /** The account is no more: its sessions end, and so do their wills. False: not all of them. */
  revoke(account: string): boolean {
    const { directory, home, stats } = this.#options;
    const ids = directory.ofAccount(account).map(({ id }) => id);
    const done = home.end(ids);
    if (done) stats.sessionsRevoked += ids.length;
    return done;
  }

  /** This is all that the account may do now. False when it could not be written. */
  restrict(account: string, permit: KeptPermit): boolean {
    const { store, directory, stats } = this.#options;
    let done = true;
    for (const session of directory.ofAccount(account)) {
      done = this.withdraw(session, permit) && done;
      const will = decodeWill(store.use(({ lives }) => lives.willOf(session.id)));
      if (will === undefined) continue;
      const topic = utf8.encode(will.topic);
      if (permit.publish(topic, 0, topic.length)) continue;
      stats.lost.denied++;
      store.use(({ lives }) => lives.willSent(session.id));
    }
    return done;
  }

  /** Takes back subscriptions that the account may not have any more. */
  withdraw(session: KeptSession, permit: KeptPermit): boolean {
    const denied = Array.from(session.grants.entries, ([name]) => name)
      .filter((name) => !permit.subscribe(parseFilter(name).filter));
    return denied.length === 0 || this.#options.home.unsubscribe(session, denied);
  }
}
