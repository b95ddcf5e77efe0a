/**
 * Kept sessions that end because their time is up, or their account is, and wills that are due.
 *
 * @module
 */
import type { Will } from "../codec/connect.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import type { KeptSessionsOptions } from "./kept_options.ts";
import type { KeptStore } from "./kept_store.ts";
import { decodeWill } from "./will_record.ts";

export interface KeptEndsOptions extends Pick<KeptSessionsOptions, "shard" | "shards" | "stats"> {
  readonly store: Pick<KeptStore, "use">;
  /** Reads a session that was changed here, and has the others read it. */
  reread(id: number): void;
}

/** Sessions that end in one transaction. */
const endsMax = 10;

/** See the module. Each shard does this for its share of the sessions. */
export class KeptEnds {
  readonly #options: KeptEndsOptions;

  constructor(options: KeptEndsOptions) {
    this.#options = options;
  }

  /** Ends these sessions. False: not all of them. */
  end(ids: readonly number[], expiredMs?: number): boolean {
    const { store, reread } = this.#options;
    let done = true;
    // A few at a time: long queues take a while, and other shards want to write.
    for (let at = 0; at < ids.length; at += endsMax) {
      const some = ids.slice(at, at + endsMax);
      done = store.use(({ lives }) => lives.end(some, expiredMs)) !== undefined && done;
    }
    for (const id of ids) reread(id);
    return done;
  }

  /** Ends sessions whose time was up then. */
  expire(nowMs: number): void {
    const { shard, shards, store, stats } = this.#options;
    const expired = store.use(({ lives }) => lives.expired(nowMs, shards, shard)) ?? [];
    if (expired.length > 0 && this.end(expired, nowMs)) stats.sessionsExpired += expired.length;
  }

  /**
   * Has the wills sent that were due then. `publish`: false when one could not be kept for those it
   * is for; it is tried again.
   */
  sendWills(nowMs: number, publish: (will: Will, key: string) => boolean): void {
    const { shard, shards, store, stats } = this.#options;
    const wills = store.use(({ lives }) => lives.dueWills(nowMs, shards, shard)) ?? [];
    for (const { id, key, will: bytes } of wills) {
      const will = willOf(bytes);
      if (will === undefined) stats.lost.damaged++;
      else if (!publish(will, key)) continue;
      // Those it is for have it by now: a kill in between sends it twice, and never not at all.
      store.use(({ lives }) => lives.willSent(id));
    }
  }
}

/** `undefined`: it cannot be read. */
function willOf(bytes: Uint8Array): Will | undefined {
  try {
    return decodeWill(bytes);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return undefined;
  }
}
