/**
 * A kept session and the connection it is attached to: there is one at most, in all shards.
 *
 * @module
 */
import type { Waiting } from "../pubsub/delivery_queue.ts";
import type { Delivery, Message } from "../pubsub/message.ts";
import type { RetainedFeed } from "../pubsub/retained_feed.ts";
import type { SharedOut } from "../pubsub/shared_out.ts";
import type { CommitOp } from "./kept_op.ts";
import { type DeliveryOptions, type DeliverySink, KeptDelivery } from "./kept_delivery.ts";
import type { Received } from "./kept_queues.ts";
import type { KeptSession } from "./kept_session.ts";
import { markOf } from "./kept_shares.ts";

/** The connection. */
export interface KeptHost {
  /** The file has the session: that is its place among its account's. */
  placed(): void;
  /** The session goes on with another connection (`resumed`), or is over. Takes no more packets. */
  evicted(resumed: boolean): void;
  /** Whose the session is cannot be read. Takes no more packets, and leaves it as if it were its own. */
  unreadable(): void;
}

/** A subscription whose retained messages are still to be sent. */
export interface UnfedSubscription {
  readonly name: string;
  readonly after: string;
}

export interface AttachmentOptions {
  readonly session: KeptSession;
  readonly host: KeptHost;
  readonly epoch: number;
  /** The session was there before. */
  readonly present: boolean;
  readonly delivery: Omit<DeliveryOptions, "session">;
  /** By QoS 2 identifiers that the client has not released. */
  readonly received: ReadonlyMap<number, Received>;
  readonly unfed: readonly UnfedSubscription[];
}

/** See the module. */
export class KeptAttachment {
  readonly session: KeptSession;
  readonly host: KeptHost;
  readonly epoch: number;
  readonly present: boolean;
  readonly received: ReadonlyMap<number, Received>;
  readonly unfed: readonly UnfedSubscription[];
  readonly delivery: KeptDelivery;
  readonly #note: (op: CommitOp, later: boolean) => void;
  /** QoS 2 messages of the client in this connection. */
  #published = 0;
  #pump: () => void = () => {};
  #sink: DeliverySink | undefined;

  constructor({ session, host, epoch, present, delivery, received, unfed }: AttachmentOptions) {
    this.session = session;
    this.host = host;
    this.epoch = epoch;
    this.present = present;
    this.received = received;
    this.unfed = unfed;
    this.delivery = new KeptDelivery({ ...delivery, session: session.id });
    this.#note = delivery.note;
  }

  /** The subscribing half is there; `pump` has it send what it can. */
  open(sink: DeliverySink, pump: () => void): void {
    this.#sink = sink;
    this.delivery.open(sink);
    this.#pump = pump;
  }

  /** A message with QoS 0: it waits for nobody who is not there. */
  deliver(message: Message, delivery: Delivery): void {
    this.#sink?.deliver(message, delivery);
  }

  pump(): void {
    this.#pump();
  }

  // --- Of the client's own QoS 2 messages.

  /** It goes to subscribers now. Gives what it is known by to the other shards. */
  published(packetId: number): string {
    const { session: { id: session }, epoch } = this;
    const n = this.#published++;
    this.#note({ kind: "received", session, packetId, epoch, n }, false);
    return markOf({ session, packetId, epoch, n });
  }

  /** Where it goes among those who share a subscription. */
  shared(packetId: number, shares: readonly SharedOut[]): void {
    this.#note({ kind: "shared", session: this.session.id, packetId, shares }, false);
  }

  /** Its PUBREC is written. */
  settled(packetId: number): void {
    this.#note({ kind: "settled", session: this.session.id, packetId }, true);
  }

  /** Its PUBREL came: the identifier may stand for another message once PUBCOMP is sent. */
  released(packetId: number): void {
    this.#note({ kind: "forgotten", session: this.session.id, packetId }, false);
  }

  // --- Of retained messages.

  /** Puts the retained messages of a page where all waits, and writes down how far it came. */
  fed(feed: RetainedFeed, items: readonly Waiting[]): void {
    const session = this.session.id;
    for (const { message, qos, retain, ids } of items) {
      const targets = [{ session, delivery: { qos, retain, ids } }];
      this.#note({ kind: "queue", message, targets }, false);
    }
    this.#note({ kind: "fed", session, name: feed.name, after: feed.after }, items.length === 0);
  }
}
