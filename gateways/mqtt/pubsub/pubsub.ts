/**
 * Messages from publishers to subscribers, in one shard and to the others.
 *
 * A PUBLISH is handed in when the intake has taken its reading, and goes to the subscribers at once,
 * not when the reading is settled: they get it some milliseconds earlier, no copy has to be kept
 * until then, and neither way waits for the other. A publisher that is not acknowledged, because
 * its shard died, sends again, and subscribers may get the message twice, as QoS 1 allows.
 *
 * @module
 */
import type { Offer } from "../../../actors/intake.ts";
import { offerFlags } from "../../../actors/intake.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Properties } from "../codec/property_table.ts";
import type { Qos } from "../codec/publish.ts";
import type { Subscribe } from "../codec/subscribe.ts";
import type { Unsubscribe } from "../codec/unsubscribe.ts";
import { KeptSessions } from "../kept/kept_sessions.ts";
import { HandOver } from "./hand_over.ts";
import { Message } from "./message.ts";
import { MessageRouter } from "./message_router.ts";
import { offerTopic } from "./offer_topic.ts";
import type { Outbound, OutboundOptions } from "./outbound.ts";
import { Outbounds } from "./outbounds.ts";
import { type PeerMail, readForwarded } from "./peer_mail.ts";
import type { PeerPort } from "./peer_shard.ts";
import { PeerShards } from "./peer_shards.ts";
import type { PubSubOptions } from "./pubsub_options.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import type { Marked } from "./shared_out.ts";
import { type SubscribePermit, Subscribing } from "./subscribing.ts";
import type { Unfinished } from "./shared_hold.ts";
import { SentMarks } from "./sent_marks.ts";
import { type Subscriber, SubscriptionTable } from "./subscription_table.ts";
import { isSystemFilter, systemRoot, SystemTopics } from "./system_topics.ts";

/** See the module. */
export class PubSub {
  readonly stats: PubSubStats;
  /** Sessions that outlive their connections. */
  readonly kept: KeptSessions | undefined;
  readonly #clock: Clock;
  readonly #retained: PubSubOptions["retained"];
  readonly #system = new SystemTopics();
  readonly #table: SubscriptionTable;
  readonly #peers: PeerShards;
  readonly #subscribing: Subscribing;
  readonly #router: MessageRouter;
  readonly #outbounds: Outbounds;
  readonly #handOver: HandOver;
  /** What was published in this turn may be for kept sessions that are not known. */
  #refused = false;
  /** So many of this turn are lost to kept sessions if they cannot be written. */
  #anyway = 0;

  constructor(options: PubSubOptions) {
    const { shard, clock, retained, queue, inFlightMax, peerBytesMax } = options;
    const stats = this.stats = options.stats ?? new PubSubStats();
    this.#clock = clock;
    this.#retained = retained;
    const table = this.#table = new SubscriptionTable((name, count) => {
      this.#peers.changed(name, count);
    });
    const peers = this.#peers = new PeerShards({ shard, clock, peerBytesMax, table, stats });
    const kept = this.kept = options.kept && new KeptSessions({
      ...options.kept,
      shard,
      clock,
      table,
      stats,
      changed: (ids) => {
        peers.sessionsChanged(ids);
        this.#subscribing.counted();
      },
      known: () => peers.known(),
      queued: (shard, id) => peers.queued(shard, id),
      left: (unfinished) => this.#handOver.left(unfinished),
    });
    const { shards, sessionSubscriptionsMax, subscriptionsMax, filterLevelsMax } = options;
    this.#subscribing = new Subscribing({
      shard,
      shards,
      table,
      peers,
      kept,
      stats,
      sessionSubscriptionsMax,
      subscriptionsMax,
      filterLevelsMax,
      source: (filter) => isSystemFilter(filter) ? this.#system : retained,
    });
    const marks = new SentMarks(shards, options.marksBytesMax);
    this.#router = new MessageRouter({ shard, table, peers, kept, stats, marks });
    const flush = () => this.flush();
    this.#outbounds = new Outbounds({ clock, queue, inFlightMax, stats, flush });
    const pass = (some: readonly Unfinished[]) => this.#pass(some);
    this.#handOver = new HandOver({ clock, stats, queue, pass });
  }

  /** False while no message would reach anybody. */
  get listening(): boolean {
    return !this.#table.empty || this.kept?.blind === true;
  }

  // --- For sessions.

  open(options: OutboundOptions): Outbound {
    const outbound = this.#outbounds.open(options);
    this.#subscribing.resume(outbound);
    return outbound;
  }

  /** Gives one reason code per filter, once every shard knows of them. */
  subscribe(
    subscriber: Outbound,
    packet: Subscribe,
    permit?: SubscribePermit,
  ): readonly number[] | Promise<readonly number[]> {
    return this.#subscribing.subscribe(subscriber, packet, permit);
  }

  unsubscribe(subscriber: Outbound, packet: Unsubscribe): readonly number[] {
    return this.#subscribing.unsubscribe(subscriber, packet);
  }

  /** The session is over. */
  forget(subscriber: Outbound): void {
    const unfinished = this.#outbounds.forget(subscriber);
    this.#subscribing.forget(subscriber);
    this.#handOver.add(unfinished);
  }

  /** False: the account has as many retained messages as it may have, and none for this topic. */
  mayRetain(topic: string, account: string): boolean {
    return this.#retained.mayKeep(topic, account);
  }

  /**
   * Sends a message to all who listen, here and elsewhere. False when there is nobody. When it is
   * retained, it is the account's; empty: nobody's.
   */
  publish(
    offer: Offer,
    properties: Properties,
    from: Subscriber | undefined,
    account = "",
    marked?: Marked,
  ): boolean {
    if ((offer.flags & offerFlags.qosMask) > 0 && this.kept?.passes() === false) {
      // Nor does anybody else get it: it comes again, as often as it is refused.
      this.#refused = true;
      return true;
    }
    return this.#publish(offer, properties, from, account, marked);
  }

  /**
   * From somebody who cannot be refused it: what may be for kept sessions that are not known, or
   * cannot be written to their file, is counted. False: they are not known.
   */
  publishAnyway(offer: Offer, properties: Properties, account = ""): boolean {
    const { kept, stats } = this;
    let known = true;
    if (kept !== undefined && (offer.flags & offerFlags.qosMask) > 0) {
      known = kept.passes();
      if (known) this.#anyway++;
      else stats.missed++;
    }
    this.#publish(offer, properties, undefined, account);
    return known;
  }

  #publish(
    offer: Offer,
    properties: Properties,
    from: Subscriber | undefined,
    account: string,
    marked?: Marked,
  ): boolean {
    const retain = (offer.flags & offerFlags.retain) !== 0;
    const qos = (offer.flags & offerFlags.qosMask) as Qos;
    if (!retain && this.#table.empty) return false;
    const { bytes, payloadStart, payloadEnd } = offer;
    const topic = offerTopic(offer);
    const entries = this.#table.match(topic);
    if ((!retain && entries.length === 0) || topic.startsWith(systemRoot)) return false;
    const message = Message.of({
      topic,
      payload: bytes.slice(payloadStart, payloadEnd),
      qos,
      retain,
      properties,
    }, this.#clock.now());
    // Before it is known as sent on it is in its file.
    if (retain && marked?.again === undefined) this.#retained.keep(message, account);
    return this.#router.route(entries, message, from, marked);
  }

  // --- For those who are no session.

  /**
   * Has all messages of a filter delivered to `subscriber`. The promise resolves once every shard
   * knows of it; `undefined`: they do. A filter that is not valid is the caller's mistake.
   */
  listen(subscriber: Subscriber, filter: string): Promise<unknown> | undefined {
    return this.#subscribing.listen(subscriber, filter);
  }

  unlisten(subscriber: Subscriber, filter: string): void {
    this.#subscribing.unlisten(subscriber, filter);
  }

  // --- At the end of a turn.

  /**
   * Sends on what was written since the last call. Cheap when that is nothing. False when messages
   * for kept sessions could not be written: then what came since must not be acknowledged.
   */
  flush(): boolean {
    this.#retained.flush();
    const [isRefused, anyway] = [this.#refused, this.#anyway];
    this.#refused = false;
    this.#anyway = 0;
    const isWritten = this.kept?.flush() !== false;
    if (!isWritten) this.stats.missed += anyway;
    if (!isWritten || isRefused) return false;
    this.#outbounds.flush();
    this.#peers.flush();
    return true;
  }

  /** What the server says of itself, by topic; all shards are told the same. */
  announce(values: Readonly<Record<string, string>>): void {
    for (const message of this.#system.update(values)) this.#router.deliverHere(message);
    this.flush();
  }

  // --- For the other shards.

  /** Another shard is there, for the first time or anew. */
  linked(shard: number, port: PeerPort): void {
    this.#peers.linked(shard, port);
  }

  /** Another shard is gone, and with it all who listened there. */
  lost(shard: number): void {
    this.#router.lost(shard);
    this.#peers.lost(shard);
    this.kept?.lost(shard);
    this.flush();
  }

  received(mail: PeerMail): void {
    switch (mail.kind) {
      case "interest":
        // Retained here before now: to be found there from now on.
        this.#retained.flush();
        this.kept?.reload(mail.reset ? "all" : mail.sessions);
        this.#subscribing.counted();
        return this.#peers.interest(mail);
      case "applied":
        return this.#peers.applied(mail.from, mail.sequence);
      case "queued":
        this.kept?.queuedElsewhere(mail.sessions);
        this.flush();
        return;
      case "messages": {
        let queued = 0;
        for (const forwarded of readForwarded(mail.batch, this.#malformed)) {
          queued += this.#router.forwarded(forwarded, mail.from);
        }
        this.#written(queued);
        return;
      }
      default:
        return mail satisfies never;
    }
  }

  close(): void {
    this.#handOver.close();
    this.#outbounds.close();
    this.kept?.close();
    this.#peers.close();
  }

  /** To other members of shared subscriptions. */
  #pass(some: readonly Unfinished[]): void {
    const queued = this.#router.handOver(some);
    if (this.#written(queued)) this.stats.handedOver += queued;
  }

  /**
   * Flushes. False: so many that are to wait for members could not be written, and are lost, for
   * nobody sends them again; all others have theirs.
   */
  #written(queued: number): boolean {
    if (this.flush()) return true;
    this.stats.lost.no_member += queued;
    this.flush();
    return false;
  }

  readonly #malformed = (): void => {
    this.stats.malformed++;
  };
}
