/**
 * How subscriptions come and go: what a client asks for is checked, bounded, written down if its
 * session is kept, told to the other shards, and begins with the messages that are retained.
 *
 * A subscriber is answered only when every shard knows of its subscription, so that what is
 * published after SUBACK reaches it, whatever shard it is published in.
 *
 * @module
 */
import { reasonCodes } from "../codec/reason_code.ts";
import type { Subscribe, Subscription } from "../codec/subscribe.ts";
import { isTopicFilter } from "../codec/text.ts";
import type { Unsubscribe } from "../codec/unsubscribe.ts";
import type { KeptSubscription } from "../kept/kept_records.ts";
import type { KeptSessions } from "../kept/kept_sessions.ts";
import { isKeepable, parseFilter } from "./filter.ts";
import type { Outbound } from "./outbound.ts";
import type { PeerShards } from "./peer_shards.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import { RetainedFeed, type RetainedSource } from "./retained_feed.ts";
import type { Subscriber, SubscriptionTable } from "./subscription_table.ts";

export interface SubscribingOptions {
  /** This one, of so many. */
  readonly shard: number;
  readonly shards: number;
  readonly table: SubscriptionTable;
  readonly peers: PeerShards;
  readonly kept: KeptSessions | undefined;
  readonly stats: PubSubStats;
  /** Subscriptions of one session, and of this shard: it has a share of those that are kept. */
  readonly sessionSubscriptionsMax: number;
  readonly subscriptionsMax: number;
  readonly filterLevelsMax: number;
  /** Where what there is of a filter is read from. */
  source(filter: string): RetainedSource;
}

/** Whether a filter may be subscribed to. */
export interface SubscribePermit {
  subscribe(filter: string): boolean;
}

/** What one SUBSCRIBE brings along, by filter: it may name one as often as it has room for. */
interface Request {
  readonly subscriber: Outbound;
  readonly ids: readonly number[];
  readonly permit: SubscribePermit | undefined;
  /** Retained messages to begin with. */
  readonly feeds: Map<string, RetainedFeed>;
  /** To be written down. */
  readonly adds: Map<string, KeptSubscription>;
  /** Of those, so many are new. */
  added: number;
}

const noIds: readonly number[] = [];
/** `$share/group/` before a filter. */
const shareLevels = 2;

/** See the module. */
export class Subscribing {
  readonly #options: SubscribingOptions;

  constructor(options: SubscribingOptions) {
    this.#options = options;
    this.counted();
  }

  /** Gives one reason code per filter, once every shard knows of them. */
  subscribe(
    subscriber: Outbound,
    packet: Subscribe,
    permit: SubscribePermit | undefined,
  ): readonly number[] | Promise<readonly number[]> {
    const { kept, peers } = this.#options;
    const ids = packet.properties.subscriptionIdentifiers ?? noIds;
    const [feeds, adds] = [new Map<string, RetainedFeed>(), new Map<string, KeptSubscription>()];
    const request: Request = { subscriber, ids, permit, feeds, adds, added: 0 };
    const codes = packet.subscriptions.map((subscription) => this.#add(subscription, request));
    const session = subscriber.kept?.session;
    const isKept = session === undefined || adds.size === 0 ||
      kept?.subscribe(session, [...adds.values()]) === true;
    if (!isKept) {
      return codes.map((code) => code < 0x80 ? reasonCodes.implementationSpecificError : code);
    }
    this.#countedOf(subscriber);
    const names: { has(name: string): boolean } = session?.grants ?? subscriber.names;
    const finish = (): readonly number[] => {
      for (const feed of feeds.values()) if (names.has(feed.name)) subscriber.feed(feed);
      return codes;
    };
    const known = peers.known();
    return known === undefined ? finish() : known.then(finish);
  }

  unsubscribe(subscriber: Outbound, { filters }: Unsubscribe): readonly number[] {
    const { kept, table } = this.#options;
    const session = subscriber.kept?.session;
    const gone = new Set(filters.filter((name) => session?.grants.has(name)));
    const done = session === undefined || gone.size === 0 ||
      kept?.unsubscribe(session, [...gone]) === true;
    const codes = filters.map((name) => {
      if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
      if (!done) return reasonCodes.implementationSpecificError;
      if (!gone.delete(name) && !table.remove(name, subscriber)) {
        return reasonCodes.noSubscriptionExisted;
      }
      subscriber.unfed(name);
      return reasonCodes.success;
    });
    this.#countedOf(subscriber);
    this.#leftSome();
    return codes;
  }

  /** A kept session is connected again: the retained messages it had not got to the end go on. */
  resume(subscriber: Outbound): void {
    const { kept } = subscriber;
    this.#countedOf(subscriber);
    for (const { name, after } of kept?.unfed ?? []) {
      const grant = kept?.session.grants.get(name);
      if (grant === undefined) continue;
      const { qos, ids } = grant;
      const source = this.#options.source(name);
      subscriber.feed(new RetainedFeed(source, name, qos, ids, after || undefined));
    }
  }

  /** The session is over. */
  forget(subscriber: Outbound): void {
    for (const name of [...subscriber.names]) this.#options.table.remove(name, subscriber);
    subscriber.quota?.counted(0);
    this.#leftSome();
  }

  /**
   * Has all messages of a filter delivered to `subscriber`, which is no session. The promise
   * resolves once every shard knows of it; `undefined`: they do.
   */
  listen(subscriber: Subscriber, filter: string): Promise<unknown> | undefined {
    const grant = { qos: 2, noLocal: false, retainAsPublished: true, ids: noIds } as const;
    this.#options.table.add(filter, subscriber, grant);
    this.counted();
    return this.#options.peers.known();
  }

  unlisten(subscriber: Subscriber, filter: string): void {
    if (this.#options.table.remove(filter, subscriber)) this.#leftSome();
  }

  /** Brings the gauge up to date. Every shard knows of those that are kept: the first counts them. */
  counted(): void {
    const { stats, shard, table: { count, keptCount } } = this.#options;
    stats.subscriptions = count + (shard === 0 ? keptCount : 0);
  }

  #add(
    { filter: name, qos, noLocal, retainAsPublished, retainHandling }: Subscription,
    request: Request,
  ): number {
    const { subscriber, ids, permit, feeds, adds } = request;
    const { table, shards, stats, source, ...max } = this.#options;
    if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
    const { filter, group } = parseFilter(name);
    if (permit?.subscribe(filter) === false) return reasonCodes.notAuthorized;
    const session = subscriber.kept?.session;
    const names = session?.grants ?? subscriber.names;
    const levelsMax = max.filterLevelsMax + (group === undefined ? 0 : shareLevels);
    const isThere = names.has(name) || adds.has(name);
    const full = names.size + request.added >= max.sessionSubscriptionsMax ||
      table.count + (table.keptCount + request.added) / shards >= max.subscriptionsMax ||
      subscriber.quota?.full === true;
    if ((full && !isThere) || !isKeepable(name, levelsMax)) {
      stats.subscriptionsRefused++;
      return reasonCodes.quotaExceeded;
    }
    const grant = { qos, noLocal, retainAsPublished, ids };
    // A shared subscription gets no retained messages (§4.8.2).
    if (group === undefined && (retainHandling === 0 || (retainHandling === 1 && !isThere))) {
      feeds.set(name, new RetainedFeed(source(filter), filter, qos, ids));
    }
    if (session === undefined) {
      table.add(name, subscriber, grant);
    } else {
      adds.set(name, { name, grant, feedAfter: feeds.has(name) ? "" : undefined });
      if (!isThere) request.added++;
    }
    subscriber.quota?.counted(names.size + request.added);
    return qos;
  }

  #countedOf(subscriber: Outbound): void {
    const { kept, names, quota } = subscriber;
    quota?.counted((kept?.session.grants ?? names).size);
    this.counted();
  }

  #leftSome(): void {
    this.counted();
    this.#options.peers.flush();
  }
}
