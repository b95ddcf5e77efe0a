/**
 * The way of a message from where it was published: to the subscribers here, into the queues of
 * kept sessions, and to the shards in which others listen, once to each, whatever listens there.
 *
 * @module
 */
import type { KeptSession } from "../kept/kept_session.ts";
import type { KeptSessions } from "../kept/kept_sessions.ts";
import { deliveryOf, fanOut, keptDeliveries } from "./fan_out.ts";
import { MemberDeliveries, type Shared } from "./member_deliveries.ts";
import type { Message, Share } from "./message.ts";
import { MessageTargets } from "./message_targets.ts";
import { Outbound } from "./outbound.ts";
import type { Forwarded } from "./peer_mail.ts";
import type { PeerShards } from "./peer_shards.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { SentMarks } from "./sent_marks.ts";
import type { Unfinished } from "./shared_hold.ts";
import type { ShareGroup } from "./share_group.ts";
import { type Marked, type SharedOut, shareMark, writtenShares } from "./shared_out.ts";
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

type Sent = Shared | "elsewhere";

/** See the module. */
export class MessageRouter {
  readonly #options: MessageRouterOptions;
  readonly #deliveries: MemberDeliveries;

  constructor(options: MessageRouterOptions) {
    this.#options = options;
    this.#deliveries = new MemberDeliveries(options);
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
    const targets = new MessageTargets();
    for (const { remote, groups } of entries) {
      for (const shard of remote) targets.direct(shard);
      for (const group of groups?.values() ?? []) {
        const first = { name: group.name, mark: marked?.mark, turn: 0 };
        const shared = this.#share(group, first, message, targets);
        reached ||= shared !== "none" && shared !== "elsewhere";
      }
    }
    if (!none) {
      const deliveries = keptDeliveries(entries, message, sessionOf(from));
      for (const shard of this.#deliveries.kept(deliveries, message)) targets.direct(shard);
      reached ||= deliveries.length > 0;
    }
    if (marked !== undefined && targets.out.length > 0) {
      const written = writtenShares(targets.out);
      this.#options.stats.sharesUnwritten += targets.out.length - written.length;
      marked.chose(written);
    }
    if (this.#send(targets, message, marked?.mark)) reached = true;
    return reached;
  }

  #send(
    targets: MessageTargets,
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
    { mark, sharedOnly }: Marked,
    before: readonly SharedOut[],
  ): true {
    const { peers, kept, shard: own } = this.#options;
    const targets = new MessageTargets();
    if (!sharedOnly) this.#directAgain(entries, message, sessionOf(from), mark, targets);
    // Others may have passed it on since its publisher came back.
    for (const [name, shard, turn] of kept?.sharesOf(mark) ?? before) {
      const share = { name, mark, turn };
      if (shard !== own) {
        if (peers.has(shard)) targets.share(shard, share);
        else this.#passOn(share, message);
      } else if (this.#isFirst(own, shareMark(mark, share))) {
        this.#shareHere(share, message);
      }
    }
    this.#send(targets, message, mark);
    return true;
  }

  #directAgain(
    entries: readonly FilterEntry[],
    message: Message,
    from: KeptSession | undefined,
    mark: string,
    targets: MessageTargets,
  ): void {
    const { shard: own } = this.#options;
    if (this.#isFirst(own, mark)) this.deliverHere(message, from);
    for (const { remote } of entries) for (const shard of remote) targets.direct(shard);
    for (const [{ holder }, { qos }] of keptDeliveries(entries, message, from)) {
      if (qos === 0 && holder !== undefined && holder !== own) targets.direct(holder);
    }
  }

  /** A shard is gone. */
  lost(shard: number): void {
    this.#options.marks.lost(shard);
  }

  /** From another shard. Gives how many are to wait in queues of the file. */
  forwarded(
    { message, direct, shares, mark, passedOn }: Forwarded,
    from: number,
  ): number {
    let queued = 0;
    if (direct && this.#isFirst(from, mark)) this.deliverHere(message);
    for (const share of shares) {
      if (!this.#isFirst(from, mark && shareMark(mark, share))) continue;
      if (this.#shareHere({ ...share, mark }, message, passedOn) === "kept") queued++;
    }
    return queued;
  }

  /**
   * Their members have gone: others are to have them (MQTT 5 §4.8.2). Gives how many are to wait in
   * queues of the file: they are not counted yet.
   */
  handOver(unfinished: readonly Unfinished[]): number {
    let queued = 0;
    for (const { message, share } of unfinished) {
      const shared = this.#passOn(share, message);
      if (shared === "kept") queued++;
      else if (shared !== "none") this.#options.stats.handedOver++;
    }
    return queued;
  }

  /** False when it came before. */
  #isFirst(from: number, mark: string | undefined): boolean {
    if (mark === undefined || this.#options.marks.add(from, mark)) return true;
    this.#options.stats.repeated++;
    return false;
  }

  /**
   * To a member here; when the last one has just left, to one elsewhere. It goes no further than
   * that: then it waits for a kept one.
   */
  #shareHere(share: Share, message: Message, passedOn = false): Sent {
    let shared = this.#deliveries.shared(share, message);
    if (shared === "none" && !passedOn) return this.#passOn(share, message, true);
    if (shared === "none") shared = this.#deliveries.queued(share, message);
    const { mark } = share;
    // Also who has it with QoS 2, and may die with this shard, has nobody who stands in for it.
    const isHad = shared === "kept" || shared === "done";
    if (isHad && mark !== undefined) this.#options.kept?.moved(mark, share, undefined);
    if (shared === "none") this.#options.stats.lost.no_member++;
    return shared;
  }

  /**
   * To any member. `none`: it is lost. `passedOn`: from a shard that was to choose a member and has
   * none any more.
   */
  #passOn({ name, mark, turn }: Share, message: Message, passedOn = false): Sent {
    const { table, stats, kept } = this.#options;
    const group = table.group(name);
    if (group === undefined) {
      stats.lost.no_member++;
      return "none";
    }
    const targets = new MessageTargets();
    const next = { name, mark, turn: turn + 1 };
    const shared = this.#share(group, next, message, targets);
    // If this shard dies, it is sent again to where it is now, and known there by its mark.
    if (mark !== undefined && shared !== "none") kept?.moved(mark, next, targets.out[0]?.[1]);
    if (shared === "elsewhere" && !this.#send(targets, message, mark, passedOn)) return "none";
    return shared;
  }

  /** What has to wait for kept sessions was put into their queues where it was published. */
  deliverHere(message: Message, from?: KeptSession): void {
    const entries = this.#options.table.match(message.topic);
    fanOut(entries, message, undefined);
    for (const [{ attachment }, delivery] of keptDeliveries(entries, message, from)) {
      if (delivery.qos === 0) attachment?.deliver(message, delivery);
    }
  }

  /** To one member of a group. `elsewhere`: `targets` have it then, with whom it is for. */
  #share(group: ShareGroup, share: Share, message: Message, targets: MessageTargets): Sent {
    const { shard, marks, stats } = this.#options;
    const { name, mark, turn } = share;
    const chosen = group.choose();
    if (chosen === "here") {
      const shared = this.#deliveries.shared(share, message);
      if (shared === "owed") targets.out.push([name, shard, turn]);
      if (shared === "owed" && mark !== undefined) marks.add(shard, shareMark(mark, share));
      if (shared === "none") stats.lost.no_member++;
      return shared;
    }
    if (typeof chosen === "number") {
      targets.share(chosen, share);
      targets.out.push([name, chosen, turn]);
      return "elsewhere";
    }
    const [session, grant] = chosen;
    const delivery = { ...deliveryOf(message, grant), share };
    const shards = this.#deliveries.kept([[session, delivery]], message);
    for (const shard of shards) targets.share(shard, share);
    if (shards.size > 0) return "elsewhere";
    return delivery.qos > 0 ? "kept" : "done";
  }
}

const sessionOf = (from: Subscriber | undefined): KeptSession | undefined =>
  from instanceof Outbound ? from.kept?.session : undefined;
