/**
 * The way of a message from where it was published: to the subscribers here, into the queues of
 * kept sessions, and to the shards in which others listen, once to each, whatever listens there.
 *
 * @module
 */
import type { QueueTarget } from "../kept/kept_commit.ts";
import type { KeptSession } from "../kept/kept_session.ts";
import type { KeptSessions } from "../kept/kept_sessions.ts";
import { deliveryOf, fanOut, keptDeliveries } from "./fan_out.ts";
import type { Delivery, Message } from "./message.ts";
import { Outbound } from "./outbound.ts";
import type { Forwarded } from "./peer_mail.ts";
import type { PeerShards } from "./peer_shards.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { SentMarks } from "./sent_marks.ts";
import type { ShareGroup } from "./share_group.ts";
import type { FilterEntry, Subscriber, SubscriptionTable } from "./subscription_table.ts";

export interface MessageRouterOptions {
  /** This one. */
  readonly shard: number;
  readonly table: SubscriptionTable;
  readonly peers: PeerShards;
  readonly kept: KeptSessions | undefined;
  readonly stats: PubSubStats;
  readonly marks: SentMarks;
}

/** A QoS 2 message of a kept session. */
export interface Marked {
  /** It is known by this wherever it is sent on to, over a kill of the shard that does so. */
  readonly mark: string;
  /** Its queues have it, and whoever else it is for may have it, too. */
  readonly again: boolean;
}

/** By shard: whether it has those who do not share, and the names of those who do. */
class Targets {
  readonly #byShard = new Map<number, { direct: boolean; readonly shares: string[] }>();

  direct(shard: number): void {
    this.#of(shard).direct = true;
  }

  share(shard: number, name: string): void {
    this.#of(shard).shares.push(name);
  }

  entries() {
    return this.#byShard.entries();
  }

  #of(shard: number) {
    let known = this.#byShard.get(shard);
    if (known === undefined) this.#byShard.set(shard, known = { direct: false, shares: [] });
    return known;
  }
}

/** See the module. */
export class MessageRouter {
  readonly #options: MessageRouterOptions;

  constructor(options: MessageRouterOptions) {
    this.#options = options;
  }

  /** Sends a message to all that `entries`, which match its topic, know of. False: to nobody. */
  route(
    entries: readonly FilterEntry[],
    message: Message,
    from: Subscriber | undefined,
    marked?: Marked,
  ): boolean {
    const { peers, shard } = this.#options;
    if (marked?.again) return this.#routeAgain(entries, message, from, marked.mark);
    if (marked !== undefined) this.#options.marks.add(shard, marked.mark);
    let reached = fanOut(entries, message, from);
    const none = entries.every(({ groups, kept }) => groups === undefined && kept === undefined);
    if (peers.count === 0 && none) return reached;
    const targets = new Targets();
    for (const { remote, groups } of entries) {
      for (const shard of remote) targets.direct(shard);
      for (const group of groups?.values() ?? []) {
        if (this.#share(group, message, targets)) reached = true;
      }
    }
    if (!none) {
      const deliveries = keptDeliveries(entries, message, sessionOf(from));
      for (const shard of this.#deliverKept(deliveries, message)) targets.direct(shard);
      reached ||= deliveries.length > 0;
    }
    for (const [shard, { direct, shares }] of targets.entries()) {
      if (peers.send(shard, { message, direct, shares, mark: marked?.mark })) reached = true;
    }
    return reached;
  }

  /**
   * To those who do not share and have no queue in the file. A member of a group that was chosen
   * first is not known any more, and no other one may get it [MQTT-4.8.2-5].
   */
  #routeAgain(
    entries: readonly FilterEntry[],
    message: Message,
    from: Subscriber | undefined,
    mark: string,
  ): true {
    const { peers, shard: own } = this.#options;
    this.#deliverOnce(own, mark, () => this.deliverHere(message, sessionOf(from)));
    const shards = new Set(entries.flatMap(({ remote }) => [...remote]));
    for (const [{ holder }, { qos }] of keptDeliveries(entries, message, sessionOf(from))) {
      if (qos === 0 && holder !== undefined && holder !== own) shards.add(holder);
    }
    for (const shard of shards) peers.send(shard, { message, direct: true, shares: [], mark });
    return true;
  }

  /** A shard is gone. */
  lost(shard: number): void {
    this.#options.marks.lost(shard);
  }

  /** From another shard. */
  forwarded(forwarded: Forwarded, from: number): void {
    const { mark } = forwarded;
    if (mark === undefined) this.#forwarded(forwarded);
    else this.#deliverOnce(from, mark, () => this.#forwarded(forwarded));
  }

  #deliverOnce(from: number, mark: string, deliver: () => void): void {
    if (this.#options.marks.add(from, mark)) deliver();
    else this.#options.stats.repeated++;
  }

  #forwarded({ message, direct, shares }: Forwarded): void {
    if (direct) this.deliverHere(message);
    for (const share of shares) this.#deliverShared(share, message);
  }

  /** What has to wait for kept sessions was put into their queues where it was published. */
  deliverHere(message: Message, from?: KeptSession): void {
    const entries = this.#options.table.match(message.topic);
    fanOut(entries, message, undefined);
    for (const [{ attachment }, delivery] of keptDeliveries(entries, message, from)) {
      if (delivery.qos === 0) attachment?.deliver(message, delivery);
    }
  }

  /** To one member of a group. False when none was there, or it is another shard's to choose. */
  #share(group: ShareGroup, message: Message, targets: Targets): boolean {
    const chosen = group.choose();
    if (chosen === "here") return this.#deliverShared(group.name, message);
    if (typeof chosen === "number") {
      targets.share(chosen, group.name);
      return false;
    }
    const [session, grant] = chosen;
    const deliveries = [[session, deliveryOf(message, grant)]] as const;
    for (const shard of this.#deliverKept(deliveries, message)) targets.share(shard, group.name);
    return true;
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
    if (targets.length > 0) this.#options.kept?.queue(message, targets);
    return elsewhere;
  }

  #deliverShared(name: string, message: Message): boolean {
    const group = this.#options.table.group(name);
    const member = group?.next();
    if (member === undefined) { // The last one has just left, or has its own queue.
      const [session, grant] = group?.keptHere() ?? [];
      if (session === undefined || grant === undefined) return false;
      const delivery = deliveryOf(message, grant);
      if (delivery.qos > 0) this.#options.kept?.queue(message, [{ session: session.id, delivery }]);
      else session.attachment?.deliver(message, delivery);
      return true;
    }
    const [subscriber, grant] = member;
    subscriber.deliver(message, deliveryOf(message, grant));
    return true;
  }
}

const sessionOf = (from: Subscriber | undefined): KeptSession | undefined =>
  from instanceof Outbound ? from.kept?.session : undefined;
