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
import { type SharedOut, shareMark, writtenShares } from "./shared_out.ts";
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
  /**
   * Its queues have it, and whoever else it is for may have it, too; with where it went among those
   * who share.
   */
  readonly again: readonly SharedOut[] | undefined;
  /** Where it goes among those who share, as far as it is to be written down. */
  chose(shares: readonly SharedOut[]): void;
}

/** By shard: whether it has those who do not share, and the names of those who do. */
class Targets {
  /** Where a share goes that is to be written down. */
  readonly out: SharedOut[] = [];
  readonly #byShard = new Map<number, { direct: boolean; readonly shares: string[] }>();

  direct(shard: number): void {
    this.#of(shard).direct = true;
  }

  share(shard: number, name: string): void {
    this.#of(shard).shares.push(name);
  }

  /** What goes to which shard: each has the message once, whatever it is for there. */
  [Symbol.iterator](): Iterator<
    readonly [number, { readonly direct: boolean; readonly shares: readonly string[] }]
  > {
    return this.#byShard.entries();
  }

  #of(shard: number) {
    let known = this.#byShard.get(shard);
    if (known === undefined) this.#byShard.set(shard, known = { direct: false, shares: [] });
    return known;
  }
}

/** Whom a shared message came to here: nobody, somebody, or one that another is to stand in for. */
type Shared = "none" | "done" | "owed";

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
    if (marked?.again !== undefined) {
      return this.#routeAgain(entries, message, from, marked, marked.again);
    }
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
    if (marked !== undefined) this.#note(targets.out, marked);
    if (this.#send(targets, message, marked?.mark)) reached = true;
    return reached;
  }

  #send(
    targets: Targets,
    message: Message,
    mark: string | undefined,
    passedOn = false,
  ): boolean {
    let reached = false;
    for (const [shard, whom] of targets) {
      if (this.#options.peers.send(shard, { ...whom, message, mark, passedOn })) reached = true;
    }
    return reached;
  }

  /**
   * To those who have no queue in the file: who does not share, and whoever was to choose a member of
   * those who do. A member that had it and is gone with its session has none that stands in for it
   * with QoS 2 [MQTT-4.8.2-5].
   */
  #routeAgain(
    entries: readonly FilterEntry[],
    message: Message,
    from: Subscriber | undefined,
    marked: Marked,
    shared: readonly SharedOut[],
  ): true {
    const { mark } = marked;
    const { peers, shard: own } = this.#options;
    this.#deliverOnce(own, mark, () => this.deliverHere(message, sessionOf(from)));
    const targets = new Targets();
    for (const { remote } of entries) for (const shard of remote) targets.direct(shard);
    for (const [{ holder }, { qos }] of keptDeliveries(entries, message, sessionOf(from))) {
      if (qos === 0 && holder !== undefined && holder !== own) targets.direct(holder);
    }
    for (const [name, shard] of shared) {
      if (shard === own) {
        this.#deliverOnce(own, shareMark(mark, name), () => this.#shareHere(name, message, mark));
      } else if (peers.has(shard)) {
        targets.share(shard, name);
      } else {
        const group = this.#options.table.group(name);
        if (group === undefined) this.#options.stats.lost.no_member++;
        else this.#share(group, message, targets);
        continue;
      }
      targets.out.push([name, shard]);
    }
    this.#note(targets.out, marked);
    this.#send(targets, message, mark);
    return true;
  }

  /** Where it goes stays known: here by its mark, to its publisher's next shard by the file. */
  #note(out: readonly SharedOut[], { mark, again, chose }: Marked): void {
    if (out.length === 0 && !again?.length) return;
    const { marks, stats, shard: own } = this.#options;
    for (const [name, shard] of out) if (shard === own) marks.add(own, shareMark(mark, name));
    const written = writtenShares(out);
    stats.sharesUnwritten += out.length - written.length;
    chose(written);
  }

  /** A shard is gone. */
  lost(shard: number): void {
    this.#options.marks.lost(shard);
  }

  /** From another shard. */
  forwarded({ message, direct, shares, mark, passedOn }: Forwarded, from: number): void {
    if (direct) this.#deliverOnce(from, mark, () => this.deliverHere(message));
    for (const name of shares) {
      const known = mark && shareMark(mark, name);
      this.#deliverOnce(from, known, () => this.#shareHere(name, message, mark, passedOn));
    }
  }

  #deliverOnce(from: number, mark: string | undefined, deliver: () => void): void {
    if (mark === undefined || this.#options.marks.add(from, mark)) deliver();
    else this.#options.stats.repeated++;
  }

  /** To a member here; when the last one has just left, to one elsewhere, but no further. */
  #shareHere(name: string, message: Message, mark?: string, passedOn = false): void {
    if (this.#deliverShared(name, message) !== "none") return;
    const group = passedOn ? undefined : this.#options.table.group(name);
    if (group === undefined) {
      this.#options.stats.lost.no_member++;
      return;
    }
    const targets = new Targets();
    this.#share(group, message, targets);
    // With its mark, so that it is known there should the successor of this shard pass it on too.
    this.#send(targets, message, mark, true);
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
    if (chosen === "here") {
      const shared = this.#deliverShared(group.name, message);
      if (shared === "owed") targets.out.push([group.name, this.#options.shard]);
      if (shared === "none") this.#options.stats.lost.no_member++;
      return shared !== "none";
    }
    if (typeof chosen === "number") {
      targets.share(chosen, group.name);
      targets.out.push([group.name, chosen]);
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

  /**
   * `owed`: with QoS 1, in memory alone; if this shard dies another member is to get it. With QoS 2
   * nobody stands in for a member that had it and is gone [MQTT-4.8.2-5].
   */
  #deliverShared(name: string, message: Message): Shared {
    const group = this.#options.table.group(name);
    const member = group?.next();
    if (member === undefined) { // The last one has just left, or has its own queue.
      const [session, grant] = group?.keptHere() ?? [];
      if (session === undefined || grant === undefined) return "none";
      const delivery = deliveryOf(message, grant);
      if (delivery.qos > 0) this.#options.kept?.queue(message, [{ session: session.id, delivery }]);
      else session.attachment?.deliver(message, delivery);
      return "done";
    }
    const [subscriber, grant] = member;
    const delivery = deliveryOf(message, grant);
    subscriber.deliver(message, delivery);
    return delivery.qos === 1 ? "owed" : "done";
  }
}

const sessionOf = (from: Subscriber | undefined): KeptSession | undefined =>
  from instanceof Outbound ? from.kept?.session : undefined;
