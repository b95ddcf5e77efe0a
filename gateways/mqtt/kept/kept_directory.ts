/**
 * All kept sessions, as this shard knows them, and their subscriptions in its table.
 *
 * @module
 */
import type { SubscriptionTable } from "../pubsub/subscription_table.ts";
import type { KeptRecord, KeptSubscription } from "./kept_records.ts";
import { KeptSession } from "./kept_session.ts";

/** A session's connection here is not its own any more: another one's, or it is over. */
export type Evict = (session: KeptSession, resumed: boolean) => void;

/** See the module. */
export class KeptDirectory {
  readonly #table: Pick<SubscriptionTable, "addKept" | "removeKept">;
  readonly #byId = new Map<number, KeptSession>();
  readonly #byKey = new Map<string, KeptSession>();

  constructor(table: Pick<SubscriptionTable, "addKept" | "removeKept">) {
    this.#table = table;
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Those whose client is away. */
  get disconnected(): number {
    let count = 0;
    for (const { holder } of this.#byId.values()) if (holder === undefined) count++;
    return count;
  }

  byId(id: number): KeptSession | undefined {
    return this.#byId.get(id);
  }

  byKey(key: string): KeptSession | undefined {
    // Where none is kept, a client that connects is not looked up: V8 takes 1 µs for a new string.
    return this.#byKey.size === 0 ? undefined : this.#byKey.get(key);
  }

  values(): MapIterator<KeptSession> {
    return this.#byId.values();
  }

  ofAccount(account: string): KeptSession[] {
    return [...this.#byId.values()].filter((session) => session.account === account);
  }

  /** Makes it what the file says; `undefined`: it has ended. */
  apply(id: number, record: KeptRecord | undefined, evict: Evict): void {
    const known = this.#byId.get(id);
    if (record === undefined) {
      if (known !== undefined) this.#forget(known, evict);
      return;
    }
    const { key, account, epoch, holder, subscriptions } = record;
    const session = known ?? new KeptSession(id, key, account);
    if (known === undefined) {
      this.#byId.set(id, session);
      this.#byKey.set(key, session);
    }
    session.epoch = epoch;
    session.holder = holder;
    this.#subscriptions(session, subscriptions);
    if (session.attachment !== undefined && session.attachment.epoch !== epoch) {
      evict(session, true);
    }
  }

  /** There are those of these ids and no others; these are the records that could be read. */
  replace(ids: ReadonlySet<number>, records: readonly KeptRecord[], evict: Evict): void {
    for (const session of [...this.#byId.values()]) {
      if (!ids.has(session.id)) this.#forget(session, evict);
    }
    for (const record of records) this.apply(record.id, record, evict);
  }

  #subscriptions(session: KeptSession, subscriptions: readonly KeptSubscription[]): void {
    const names = new Set(subscriptions.map(({ name }) => name));
    for (const [name] of session.grants.entries) {
      if (!names.has(name)) this.#table.removeKept(name, session);
    }
    const unfed = new Map<string, string>();
    for (const { name, grant, feedAfter } of subscriptions) {
      this.#table.addKept(name, session, grant);
      if (feedAfter !== undefined) unfed.set(name, feedAfter);
    }
    session.unfed = unfed.size === 0 ? undefined : unfed;
  }

  #forget(session: KeptSession, evict: Evict): void {
    this.#subscriptions(session, []);
    this.#byId.delete(session.id);
    if (this.#byKey.get(session.key) === session) this.#byKey.delete(session.key);
    evict(session, false);
  }
}
