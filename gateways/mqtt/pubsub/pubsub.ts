/**
 * Messages from publishers to subscribers, in one shard and to the others.
 *
 * A PUBLISH is handed in when the intake has taken its reading, and goes to the subscribers at once,
 * not when the reading is settled: they get it some milliseconds earlier, no copy has to be kept
 * until then, and neither way waits for the other. A publisher that is not acknowledged, because
 * its shard died, sends again, and subscribers may get the message twice, as QoS 1 allows.
 *
 * A subscriber is answered only when every shard knows of its subscription, so that what is
 * published after SUBACK reaches it, whatever shard it is published in.
 *
 * @module
 */
import type { Offer } from "../../../actors/intake.ts";
import { offerFlags } from "../../../actors/intake.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Properties } from "../codec/property_table.ts";
import type { Qos } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { Subscribe, Subscription } from "../codec/subscribe.ts";
import { isTopicFilter } from "../codec/text.ts";
import type { Unsubscribe } from "../codec/unsubscribe.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import { isKeepable, parseFilter } from "./filter.ts";
import { deliveryOf, fanOut } from "./fan_out.ts";
import { Message } from "./message.ts";
import { Outbound, type OutboundOptions } from "./outbound.ts";
import { type PeerMail, readForwarded } from "./peer_mail.ts";
import type { PeerPort } from "./peer_shard.ts";
import { PeerShards } from "./peer_shards.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import type { Retained } from "./retained.ts";
import { RetainedFeed } from "./retained_feed.ts";
import { type FilterEntry, type Subscriber, SubscriptionTable } from "./subscription_table.ts";
import { isSystemFilter, systemRoot, SystemTopics } from "./system_topics.ts";

export interface PubSubOptions {
  readonly shard: number;
  readonly clock: Clock;
  readonly queue: QueueLimits;
  /** Bytes that may wait for another shard. */
  readonly peerBytesMax: number;
  /** Subscriptions of one session, and of this shard. */
  readonly sessionSubscriptionsMax: number;
  readonly subscriptionsMax: number;
  readonly retained: Pick<Retained, "keep" | "flush" | "page">;
  readonly stats?: PubSubStats;
}

/** Where a session's subscriber comes from. */
export type SubscriberOptions = Pick<OutboundOptions, "version" | "sink" | "client">;

/** Whether a filter may be subscribed to. */
export interface SubscribePermit {
  subscribe(filter: string): boolean;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const noIds: readonly number[] = [];

/** See the module. */
export class PubSub {
  readonly stats: PubSubStats;
  readonly #options: PubSubOptions;
  readonly #table: SubscriptionTable;
  readonly #peers: PeerShards;
  readonly #written = new Set<Outbound>();
  readonly #waiting = new Set<Outbound>();
  readonly #system = new SystemTopics();
  #againTimer: Timer | undefined;
  #routed = false;

  constructor(options: PubSubOptions) {
    this.#options = options;
    this.stats = options.stats ?? new PubSubStats();
    this.#table = new SubscriptionTable((name, count) => this.#peers.changed(name, count));
    const { shard, clock, peerBytesMax } = options;
    const { stats } = this;
    this.#peers = new PeerShards({ shard, clock, peerBytesMax, table: this.#table, stats });
  }

  /** False while no message would reach anybody. */
  get listening(): boolean {
    return !this.#table.empty;
  }

  // --- For sessions.

  open(options: SubscriberOptions): Outbound {
    const { clock, queue } = this.#options;
    return new Outbound({
      ...options,
      queue,
      stats: this.stats,
      now: () => clock.now(),
      wrote: (outbound) => this.#written.add(outbound),
      again: (outbound) => this.#again(outbound),
    });
  }

  /** Gives one reason code per filter, once every shard knows of them. */
  subscribe(
    subscriber: Outbound,
    packet: Subscribe,
    permit?: SubscribePermit,
  ): readonly number[] | Promise<readonly number[]> {
    const ids = packet.properties.subscriptionIdentifiers ?? noIds;
    const feeds: RetainedFeed[] = [];
    const codes = packet.subscriptions.map((subscription) =>
      this.#subscribe(subscriber, subscription, ids, permit, feeds)
    );
    this.stats.subscriptions = this.#table.count;
    const finish = (): readonly number[] => {
      for (const feed of feeds) if (subscriber.names.has(feed.name)) subscriber.feed(feed);
      return codes;
    };
    const known = this.#peers.known();
    return known === undefined ? finish() : known.then(finish);
  }

  unsubscribe(subscriber: Outbound, { filters }: Unsubscribe): readonly number[] {
    const codes = filters.map((name) => {
      if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
      subscriber.unfed(name);
      return this.#table.remove(name, subscriber)
        ? reasonCodes.success
        : reasonCodes.noSubscriptionExisted;
    });
    this.#leftSome();
    return codes;
  }

  /** The session is over. */
  forget(subscriber: Outbound): void {
    for (const name of [...subscriber.names]) this.#table.remove(name, subscriber);
    subscriber.close();
    this.#written.delete(subscriber);
    this.#waiting.delete(subscriber);
    this.#leftSome();
  }

  /** Sends a message to all who listen, here and elsewhere. False when there is nobody. */
  publish(offer: Offer, properties: Properties, from: Subscriber | undefined): boolean {
    const retain = (offer.flags & offerFlags.retain) !== 0;
    if (!retain && this.#table.empty) return false;
    const { bytes, topicStart, topicEnd, payloadStart, payloadEnd } = offer;
    const topic = utf8.decode(bytes.subarray(topicStart, topicEnd));
    const entries = this.#table.match(topic);
    if ((!retain && entries.length === 0) || topic.startsWith(systemRoot)) return false;
    const message = Message.of({
      topic,
      payload: bytes.slice(payloadStart, payloadEnd),
      qos: (offer.flags & offerFlags.qosMask) as Qos,
      retain,
      properties,
    }, this.#options.clock.now());
    if (retain) this.#options.retained.keep(message);
    return this.#route(entries, message, from);
  }

  // --- For those who are no session.

  /**
   * Has all messages of a filter delivered to `subscriber`. The promise resolves once every shard
   * knows of it; `undefined`: they do. A filter that is not valid is the caller's mistake.
   */
  listen(subscriber: Subscriber, filter: string): Promise<unknown> | undefined {
    const grant = { qos: 2, noLocal: false, retainAsPublished: true, ids: noIds } as const;
    this.#table.add(filter, subscriber, grant);
    this.stats.subscriptions = this.#table.count;
    return this.#peers.known();
  }

  unlisten(subscriber: Subscriber, filter: string): void {
    if (this.#table.remove(filter, subscriber)) this.#leftSome();
  }

  // --- At the end of a turn.

  /** Sends on what was written since the last call. Cheap when that is nothing. */
  flush(): void {
    if (this.#written.size > 0) {
      for (const outbound of this.#written) outbound.flush();
      this.#written.clear();
    }
    this.#options.retained.flush();
    if (!this.#routed) return;
    this.#routed = false;
    this.#peers.flush();
  }

  /** What the server says of itself, by topic; all shards are told the same. */
  announce(values: Readonly<Record<string, string>>): void {
    for (const message of this.#system.update(values)) {
      fanOut(this.#table.match(message.topic), message, undefined);
    }
    this.flush();
  }

  // --- For the other shards.

  /** Another shard is there, for the first time or anew. */
  linked(shard: number, port: PeerPort): void {
    this.#peers.linked(shard, port);
  }

  /** Another shard is gone, and with it all who listened there. */
  lost(shard: number): void {
    this.#peers.lost(shard);
  }

  received(mail: PeerMail): void {
    switch (mail.kind) {
      case "interest":
        // Retained here before now: to be found there from now on.
        this.#options.retained.flush();
        return this.#peers.interest(mail);
      case "applied":
        return this.#peers.applied(mail.from, mail.sequence);
      case "messages":
        for (const { message, direct, shares } of readForwarded(mail.batch, this.#malformed)) {
          if (direct) fanOut(this.#table.match(message.topic), message, undefined);
          for (const share of shares) this.#deliverShared(share, message);
        }
        return this.flush();
      default:
        return mail satisfies never;
    }
  }

  close(): void {
    this.#againTimer?.clear();
    this.#peers.close();
  }

  // --- Subscriptions.

  #subscribe(
    subscriber: Outbound,
    subscription: Subscription,
    ids: readonly number[],
    permit: SubscribePermit | undefined,
    feeds: RetainedFeed[],
  ): number {
    const { filter: name, qos, noLocal, retainAsPublished, retainHandling } = subscription;
    const { sessionSubscriptionsMax, subscriptionsMax, retained } = this.#options;
    if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
    const { filter, group } = parseFilter(name);
    if (permit?.subscribe(filter) === false) return reasonCodes.notAuthorized;
    const full = subscriber.names.size >= sessionSubscriptionsMax ||
      this.#table.count >= subscriptionsMax;
    if ((full && !subscriber.names.has(name)) || !isKeepable(name)) {
      this.stats.subscriptionsRefused++;
      return reasonCodes.quotaExceeded;
    }
    const isNew = this.#table.add(name, subscriber, { qos, noLocal, retainAsPublished, ids });
    // A shared subscription gets no retained messages (§4.8.2).
    if (group === undefined && (retainHandling === 0 || (retainHandling === 1 && isNew))) {
      const source = isSystemFilter(filter) ? this.#system : retained;
      feeds.push(new RetainedFeed(source, filter, qos, ids));
    }
    return qos;
  }

  #leftSome(): void {
    this.stats.subscriptions = this.#table.count;
    this.#peers.flush();
  }

  // --- Messages.

  #route(entries: readonly FilterEntry[], message: Message, from: Subscriber | undefined): boolean {
    let reached = fanOut(entries, message, from);
    if (this.#peers.count === 0 && entries.every(({ groups }) => groups === undefined)) {
      return reached;
    }
    /** By shard: whether it has those who do not share, and the names of those who do. */
    const targets = new Map<number, { direct: boolean; readonly shares: string[] }>();
    const target = (shard: number) => {
      let known = targets.get(shard);
      if (known === undefined) targets.set(shard, known = { direct: false, shares: [] });
      return known;
    };
    for (const { remote, groups } of entries) {
      for (const shard of remote) target(shard).direct = true;
      for (const group of groups?.values() ?? []) {
        const chosen = group.choose();
        if (chosen !== "here") target(chosen).shares.push(group.name);
        else if (this.#deliverShared(group.name, message)) reached = true;
      }
    }
    for (const [shard, { direct, shares }] of targets) {
      if (this.#peers.send(shard, { message, direct, shares })) reached = true;
    }
    this.#routed ||= targets.size > 0;
    return reached;
  }

  #deliverShared(name: string, message: Message): boolean {
    const member = this.#table.group(name)?.next();
    if (member === undefined) return false; // The last one has just left.
    const [subscriber, grant] = member;
    subscriber.deliver(message, deliveryOf(message, grant));
    return true;
  }

  readonly #malformed = (): void => {
    this.stats.malformed++;
  };

  // --- Later.

  #again(outbound: Outbound): void {
    this.#waiting.add(outbound);
    this.#againTimer ??= this.#options.clock.setTimer(0, () => {
      this.#againTimer = undefined;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const outbound of waiting) outbound.pump();
      this.flush();
    });
  }
}
