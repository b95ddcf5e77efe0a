/**
 * A message to members of shared subscriptions in this shard, and to kept sessions, which have their
 * queues in the file.
 *
 * @module
 */
import type { QueueTarget } from "../kept/kept_op.ts";
import type { KeptSession } from "../kept/kept_session.ts";
import type { KeptSessions } from "../kept/kept_sessions.ts";
import { deliveryOf } from "./fan_out.ts";
import type { Delivery, Message, Share } from "./message.ts";
import type { SubscriptionTable } from "./subscription_table.ts";

/**
 * Whom a shared message came to here: nobody, a queue in the file, somebody, or one that another is
 * to stand in for.
 */
export type Shared = "none" | "kept" | "done" | "owed";

export interface MemberDeliveriesOptions {
  /** This one. */
  readonly shard: number;
  readonly table: SubscriptionTable;
  readonly kept: KeptSessions | undefined;
}

/** See the module. */
export class MemberDeliveries {
  readonly #options: MemberDeliveriesOptions;

  constructor(options: MemberDeliveriesOptions) {
    this.#options = options;
  }

  /**
   * Puts a message into the queues of kept sessions. With QoS 0 it is for those that are connected
   * alone: gives the shards where they are, if not here.
   */
  kept(
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
  shared(share: Share, message: Message): Shared {
    const group = this.#options.table.group(share.name);
    const member = group?.next();
    if (member === undefined) { // The last one has just left, or has its own queue.
      const [session, grant] = group?.keptHere() ?? [];
      if (session === undefined || grant === undefined) return "none";
      const delivery = { ...deliveryOf(message, grant), share };
      this.kept([[session, delivery]], message);
      return delivery.qos > 0 ? "kept" : "done";
    }
    const [subscriber, grant] = member;
    const delivery = deliveryOf(message, grant);
    subscriber.deliver(message, { ...delivery, share });
    return delivery.qos === 1 ? "owed" : "done";
  }

  /** Into the queue of a kept member, if there is one that may have it there. */
  queued(share: Share, message: Message): "kept" | "none" {
    const [session, grant] = this.#options.table.group(share.name)?.keptAnywhere() ?? [];
    const delivery = grant && deliveryOf(message, grant);
    if (session === undefined || delivery === undefined || delivery.qos === 0) return "none";
    this.kept([[session, { ...delivery, share }]], message);
    return "kept";
  }
}
