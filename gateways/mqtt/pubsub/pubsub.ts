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
import { KeptSessions, type KeptSettings } from "../kept/kept_sessions.ts";
import type { KeptSubscription } from "../kept/kept_file.ts";
import type { KeptSession } from "../kept/kept_session.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import { isKeepable, parseFilter } from "./filter.ts";
import { deliveryOf, fanOut, keptDeliveries } from "./fan_out.ts";
import type { QueueTarget } from "../kept/kept_commit.ts";
import { type Delivery, Message } from "./message.ts";
import { Outbound, type OutboundOptions } from "./outbound.ts";
import { type PeerMail, readForwarded } from "./peer_mail.ts";
import type { PeerPort } from "./peer_shard.ts";
import { PeerShards } from "./peer_shards.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import type { Retained } from "./retained.ts";
import { RetainedFeed, type RetainedSource } from "./retained_feed.ts";
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
  /** Absent: no session outlives its connection. */
  readonly kept?: KeptSettings | undefined;
}

/** Where a session's subscriber comes from. */
export type SubscriberOptions =
  & Pick<OutboundOptions, "version" | "sink" | "client">
  & Partial<Pick<OutboundOptions, "kept">>;

/** Whether a filter may be subscribed to. */
export interface SubscribePermit {
  subscribe(filter: string): boolean;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const noIds: readonly number[] = [];

/** See the module. */
export class PubSub {
  readonly stats: PubSubStats;
  /** Sessions that outlive their connections. */
  readonly kept: KeptSessions | undefined;
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
    const table = this.#table;
    const peers = this.#peers = new PeerShards({ shard, clock, peerBytesMax, table, stats });
    this.kept = options.kept && new KeptSessions({
      ...options.kept,
      shard,
      clock,
      table,
      stats,
      changed: (ids) => {
        peers.sessionsChanged(ids);
        this.#routed = true;
      },
      known: () => peers.known(),
      queued: (shard, id) => {
        peers.queued(shard, id);
        this.#routed = true;
      },
    });
    this.#counted();
  }

  /** False while no message would reach anybody. */
  get listening(): boolean {
    return !this.#table.empty;
  }

  // --- For sessions.

  open(options: SubscriberOptions): Outbound {
    const { clock, queue } = this.#options;
    const outbound = new Outbound({
      ...options,
      kept: options.kept,
      queue,
      stats: this.stats,
      now: () => clock.now(),
      wrote: (outbound) => this.#written.add(outbound),
      again: (outbound) => this.#again(outbound),
    });
    for (const { name, after } of options.kept?.unfed ?? []) {
      const grant = options.kept?.session.grants.get(name);
      if (grant === undefined) continue;
      const { qos, ids } = grant;
      outbound.feed(new RetainedFeed(this.#source(name), name, qos, ids, after || undefined));
    }
    return outbound;
  }

  /** Gives one reason code per filter, once every shard knows of them. */
  subscribe(
    subscriber: Outbound,
    packet: Subscribe,
    permit?: SubscribePermit,
  ): readonly number[] | Promise<readonly number[]> {
    const ids = packet.properties.subscriptionIdentifiers ?? noIds;
    const feeds: RetainedFeed[] = [];
    const session = subscriber.kept?.session;
    const adds: KeptSubscription[] = [];
    let codes: readonly number[] = packet.subscriptions.map((subscription) =>
      this.#subscribe(subscriber, subscription, ids, permit, feeds, adds)
    );
    if (session !== undefined && adds.length > 0 && this.kept?.subscribe(session, adds) !== true) {
      codes = codes.map((code) => code < 0x80 ? reasonCodes.implementationSpecificError : code);
      return codes;
    }
    this.#counted();
    const names: { has(name: string): boolean } = session?.grants ?? subscriber.names;
    const finish = (): readonly number[] => {
      for (const feed of feeds) if (names.has(feed.name)) subscriber.feed(feed);
      return codes;
    };
    const known = this.#peers.known();
    return known === undefined ? finish() : known.then(finish);
  }

  unsubscribe(subscriber: Outbound, { filters }: Unsubscribe): readonly number[] {
    const session = subscriber.kept?.session;
    const kept = session === undefined ? [] : filters.filter((name) => session.grants.has(name));
    const gone = new Set(kept);
    const done = session === undefined || kept.length === 0 ||
      this.kept?.unsubscribe(session, kept) === true;
    const codes = filters.map((name) => {
      if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
      if (!done) return reasonCodes.implementationSpecificError;
      subscriber.unfed(name);
      return gone.delete(name) || this.#table.remove(name, subscriber)
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
    this.#counted();
    return this.#peers.known();
  }

  unlisten(subscriber: Subscriber, filter: string): void {
    if (this.#table.remove(filter, subscriber)) this.#leftSome();
  }

  // --- At the end of a turn.

  /**
   * Sends on what was written since the last call. Cheap when that is nothing. False when messages
   * for kept sessions could not be written: then what came since must not be acknowledged.
   */
  flush(): boolean {
    if (this.kept?.flush() === false) return false;
    if (this.#written.size > 0) {
      for (const outbound of this.#written) outbound.flush();
      this.#written.clear();
    }
    this.#options.retained.flush();
    if (this.#routed) {
      this.#routed = false;
      this.#peers.flush();
    }
    return true;
  }

  /** What the server says of itself, by topic; all shards are told the same. */
  announce(values: Readonly<Record<string, string>>): void {
    for (const message of this.#system.update(values)) {
      this.#deliverHere(message);
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
    this.kept?.lost(shard);
    this.flush();
  }

  received(mail: PeerMail): void {
    switch (mail.kind) {
      case "interest":
        // Retained here before now: to be found there from now on.
        this.#options.retained.flush();
        this.kept?.reload(mail.reset ? "all" : mail.sessions);
        this.#counted();
        return this.#peers.interest(mail);
      case "applied":
        return this.#peers.applied(mail.from, mail.sequence);
      case "queued":
        this.kept?.queuedElsewhere(mail.sessions);
        this.flush();
        return;
      case "messages":
        for (const { message, direct, shares } of readForwarded(mail.batch, this.#malformed)) {
          if (direct) this.#deliverHere(message);
          for (const share of shares) this.#deliverShared(share, message);
        }
        this.flush();
        return;
      default:
        return mail satisfies never;
    }
  }

  close(): void {
    this.#againTimer?.clear();
    this.kept?.close();
    this.#peers.close();
  }

  // --- Subscriptions.

  #subscribe(
    subscriber: Outbound,
    subscription: Subscription,
    ids: readonly number[],
    permit: SubscribePermit | undefined,
    feeds: RetainedFeed[],
    adds: KeptSubscription[],
  ): number {
    const { filter: name, qos, noLocal, retainAsPublished, retainHandling } = subscription;
    const { sessionSubscriptionsMax, subscriptionsMax } = this.#options;
    if (!isTopicFilter(name)) return reasonCodes.topicFilterInvalid;
    const { filter, group } = parseFilter(name);
    if (permit?.subscribe(filter) === false) return reasonCodes.notAuthorized;
    const session = subscriber.kept?.session;
    const names = session?.grants ?? subscriber.names;
    const full = names.size + adds.length >= sessionSubscriptionsMax ||
      this.#table.count + this.#table.keptCount + adds.length >= subscriptionsMax;
    if ((full && !names.has(name)) || !isKeepable(name)) {
      this.stats.subscriptionsRefused++;
      return reasonCodes.quotaExceeded;
    }
    const grant = { qos, noLocal, retainAsPublished, ids };
    const isNew = session === undefined
      ? this.#table.add(name, subscriber, grant)
      : !names.has(name);
    // A shared subscription gets no retained messages (§4.8.2).
    const feeding = group === undefined &&
      (retainHandling === 0 || (retainHandling === 1 && isNew));
    if (session !== undefined) adds.push({ name, grant, feedAfter: feeding ? "" : undefined });
    if (feeding) feeds.push(new RetainedFeed(this.#source(filter), filter, qos, ids));
    return qos;
  }

  /** Where what there is of a filter is read from. */
  #source(filter: string): RetainedSource {
    return isSystemFilter(filter) ? this.#system : this.#options.retained;
  }

  #leftSome(): void {
    this.#counted();
    this.#peers.flush();
  }

  /** Every shard knows of those that are kept: the first one counts them. */
  #counted(): void {
    const { count, keptCount } = this.#table;
    this.stats.subscriptions = count + (this.#options.shard === 0 ? keptCount : 0);
  }

  // --- Messages.

  #route(entries: readonly FilterEntry[], message: Message, from: Subscriber | undefined): boolean {
    let reached = fanOut(entries, message, from);
    const none = entries.every(({ groups, kept }) => groups === undefined && kept === undefined);
    if (this.#peers.count === 0 && none) return reached;
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
        if (typeof chosen === "object") {
          const [session, grant] = chosen;
          const delivery = deliveryOf(message, grant);
          const elsewhere = this.#deliverKept([[session, delivery]], message);
          for (const shard of elsewhere) target(shard).shares.push(group.name);
          reached = true;
        } else if (chosen !== "here") target(chosen).shares.push(group.name);
        else if (this.#deliverShared(group.name, message)) reached = true;
      }
    }
    if (!none) {
      const session = from instanceof Outbound ? from.kept?.session : undefined;
      const deliveries = keptDeliveries(entries, message, session);
      for (const shard of this.#deliverKept(deliveries, message)) target(shard).direct = true;
      reached ||= deliveries.length > 0;
    }
    for (const [shard, { direct, shares }] of targets) {
      if (this.#peers.send(shard, { message, direct, shares })) reached = true;
    }
    this.#routed ||= targets.size > 0;
    return reached;
  }

  /** What another shard sent: what has to wait for kept sessions it has put into their queues. */
  #deliverHere(message: Message): void {
    const entries = this.#table.match(message.topic);
    fanOut(entries, message, undefined);
    const deliveries = keptDeliveries(entries, message, undefined);
    for (const [{ attachment }, delivery] of deliveries) {
      if (delivery.qos === 0) attachment?.deliver(message, delivery);
    }
  }

  /**
   * Puts a message into the queues of kept sessions. With QoS 0 it is for those that are connected
   * alone: gives the shards where they are, if not here.
   */
  #deliverKept(
    deliveries: readonly (readonly [KeptSession, Delivery])[],
    message: Message,
  ): Set<number> {
    const elsewhere = new Set<number>();
    const targets: QueueTarget[] = [];
    for (const [{ id, holder, attachment }, delivery] of deliveries) {
      if (delivery.qos > 0) targets.push({ session: id, delivery });
      else if (attachment !== undefined) attachment.deliver(message, delivery);
      else if (holder !== undefined && holder !== this.#options.shard) elsewhere.add(holder);
    }
    if (targets.length > 0) this.kept?.queue(message, targets);
    return elsewhere;
  }

  #deliverShared(name: string, message: Message): boolean {
    const group = this.#table.group(name);
    const member = group?.next();
    if (member === undefined) { // The last one has just left, or has its own queue.
      const [session, grant] = group?.keptHere() ?? [];
      if (session === undefined || grant === undefined) return false;
      const delivery = deliveryOf(message, grant);
      if (delivery.qos > 0) this.kept?.queue(message, [{ session: session.id, delivery }]);
      else session.attachment?.deliver(message, delivery);
      return true;
    }
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
