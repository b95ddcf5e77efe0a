/**
 * The subscribing half of a session: sends it the messages it subscribed to, as fast as it takes
 * them. What it does not take waits in a bounded queue; retained messages are read from the disk
 * only as they can be sent. Made when a client first subscribes, so that others hold nothing of it.
 *
 * @module
 */
import type { SubscriptionQuota } from "../../../actors/rates/account_quotas.ts";
import { writeAcknowledged, writeAcknowledgement } from "../codec/acknowledgement.ts";
import type { AcknowledgementKind } from "../codec/acknowledgement.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { PacketWriter } from "../codec/writer.ts";
import type { KeptAttachment } from "../kept/kept_attachment.ts";
import type { DeliverySink } from "../kept/kept_delivery.ts";
import type { ClientLimits } from "./client_limits.ts";
import { DeliveryQueue, type QueueLimits, type Waiting } from "./delivery_queue.ts";
import type { Delivery, Message } from "./message.ts";
import { OutFlight } from "./out_flight.ts";
import { type OutboundAlias, OutboundAliases } from "./outbound_aliases.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { RetainedFeed } from "./retained_feed.ts";
import type { Unfinished } from "./shared_hold.ts";
import { SmallSet } from "./small_map.ts";
import type { Subscriber } from "./subscription_table.ts";

/** Where packets are written to. */
export interface OutboundSink {
  readonly writer: PacketWriter;
  readonly waitingBytes: number;
  flush(): void;
}

/** Whose messages, and where to. */
export interface OutboundOptions {
  readonly version: ProtocolVersion;
  readonly sink: OutboundSink;
  readonly client: ClientLimits;
  /** The session, when it outlives its connection: QoS 1 and 2 messages come from there. */
  readonly kept?: KeptAttachment | undefined;
  /** Of its account. */
  readonly quota?: SubscriptionQuota | undefined;
}

/** What all of a shard share. */
export interface OutboundShared {
  readonly queue: QueueLimits;
  /** QoS 1 and 2 messages at once, whatever the client allows. */
  readonly inFlightMax: number;
  readonly stats: PubSubStats;
  /** Wall time, ms. */
  now(): number;
  /** Something was written that {@linkcode Outbound.flush} is to send. */
  wrote(outbound: Outbound): void;
  /** Has {@linkcode Outbound.pump} called after other work of the event loop. */
  again(outbound: Outbound): void;
}

/** Bytes in the connection's buffer beyond which messages wait in the queue. */
const sinkBytesMax = 32 * 1024;
/** Pages of retained messages that are searched in one go. */
const pagesAtOnce = 8;

const dupFlag = 0b1000;

const noFeeds: readonly RetainedFeed[] = [];

/** See the module. What only some need is made when they need it. */
export class Outbound implements Subscriber, DeliverySink {
  readonly names = new SmallSet<string>();
  readonly kept: KeptAttachment | undefined;
  readonly quota: SubscriptionQuota | undefined;
  readonly #version: ProtocolVersion;
  readonly #sink: OutboundSink;
  readonly #client: ClientLimits;
  readonly #shared: OutboundShared;
  /** Absent while all was sent at once. */
  #queue: DeliveryQueue | undefined;
  #flight: OutFlight | undefined;
  /** Absent when the client wants none [MQTT-3.1.2-27]. */
  #aliases: OutboundAliases | undefined;
  #feeds = noFeeds;
  #open = true;

  constructor({ version, sink, client, kept, quota }: OutboundOptions, shared: OutboundShared) {
    this.#version = version;
    this.#sink = sink;
    this.#client = client;
    this.#shared = shared;
    this.kept = kept;
    this.quota = quota;
    kept?.open(this, () => this.pump());
  }

  /** QoS 1 and 2 messages that the client has not acknowledged to the end. */
  get inFlight(): number {
    return (this.#flight?.count ?? 0) + (this.kept?.delivery.inFlight ?? 0);
  }

  /** Whether it keeps up: a shared message goes to a member that does. */
  get ready(): boolean {
    return this.#waits === 0 && this.mayWrite;
  }

  get #waits(): number {
    return this.#queue?.count ?? 0;
  }

  deliver(message: Message, delivery: Delivery): void {
    if (!this.#open) return;
    if (this.#waits === 0 && this.#maySend(delivery.qos)) this.#send(message, delivery);
    else this.#wait({ message, ...delivery });
  }

  /** Sends retained messages, after what waits already. {@linkcode Outbound.pump} starts it. */
  feed(feed: RetainedFeed): void {
    this.unfed(feed.name);
    this.#feeds = [...this.#feeds, feed];
  }

  /** Forgets the retained messages of a subscription that is no more. */
  unfed(name: string): void {
    if (this.#feeds.length > 0) this.#feeds = this.#feeds.filter((feed) => feed.name !== name);
  }

  /**
   * The connection has taken everything. A write that is through at once tells so in a microtask:
   * what has no bound goes on after the event loop had its share, or nobody else would.
   */
  drained(): void {
    if (this.#feeds.length > 0) this.#shared.again(this);
    else this.pump();
  }

  /** Sends as much of what waits as can be sent now. */
  pump(): void {
    if (!this.#open) return;
    let pages = 0;
    const through = this.kept?.delivery.pump() ?? true;
    for (;;) {
      const next = this.#queue?.first;
      if (next !== undefined) {
        if (!this.#maySend(next.qos)) return;
        this.#queue?.shift();
        this.#send(next.message, next);
        continue;
      }
      const feed = this.#feeds[0];
      if (feed === undefined || !through || !this.mayWrite) return;
      if (pages++ === pagesAtOnce) return this.#shared.again(this);
      const items = feed.next(this.#shared.now());
      if (feed.done) this.#feeds = this.#feeds.length === 1 ? noFeeds : this.#feeds.slice(1);
      const kept = this.kept;
      for (const item of items) if (kept === undefined || item.qos === 0) this.#wait(item);
      if (kept === undefined) continue;
      kept.fed(feed, items.filter(({ qos }) => qos > 0));
      pages = pagesAtOnce; // The rest when this is in the file.
    }
  }

  flush(): void {
    if (this.#open) this.#sink.flush();
  }

  /** PUBACK, PUBREC or PUBCOMP of the client. */
  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): void {
    if (this.kept !== undefined) {
      this.kept.delivery.acknowledged(kind, packetId, reasonCode);
      return this.pump();
    }
    const due = this.#inFlight.acknowledged(kind, packetId, reasonCode);
    if (due !== undefined) this.release(packetId, due === "release");
    this.pump();
  }

  /** The session has ended. Gives what another member of a shared subscription is to have. */
  close(): Unfinished[] {
    this.#open = false;
    this.#feeds = noFeeds;
    const unfinished = this.#flight?.take() ?? [];
    for (const { message, share } of this.#queue?.take() ?? []) {
      if (share !== undefined) unfinished.push({ message, share });
    }
    return unfinished;
  }

  get #inFlight(): OutFlight {
    return this.#flight ??= new OutFlight(this.#shared.queue, this.#shared.stats);
  }

  #wait(item: Waiting): void {
    const { queue, stats } = this.#shared;
    (this.#queue ??= new DeliveryQueue(queue, stats)).push(item);
  }

  // --- For the messages of a kept session.

  get windowMax(): number {
    return Math.min(this.#client.receiveMaximum, this.#shared.inFlightMax);
  }

  get mayWrite(): boolean {
    return this.#open && this.#sink.waitingBytes < sinkBytesMax;
  }

  publish(message: Message, delivery: Delivery, packetId: number, dup: boolean): boolean {
    const { writer } = this.#sink;
    const nowMs = message.expiresMs === Infinity ? 0 : this.#shared.now();
    const start = writer.length;
    if (!this.#written(message, delivery, packetId, nowMs)) return false;
    if (dup) writer.bytes[start]! |= dupFlag;
    this.#shared.stats.delivered++;
    this.#shared.wrote(this);
    return true;
  }

  /** Sends PUBREL. */
  release(packetId: number, found: boolean): void {
    const { writer } = this.#sink;
    this.#shared.stats.released++;
    if (found) {
      writeAcknowledged(writer, "pubrel", packetId);
    } else {
      const code = reasonCodes.packetIdentifierNotFound;
      writeAcknowledgement(
        writer,
        { kind: "pubrel", packetId, reasonCode: code, properties: noProperties },
        this.#version,
      );
    }
    this.#shared.wrote(this);
  }

  #maySend(qos: Qos): boolean {
    return this.mayWrite && (qos === 0 || (this.#flight?.count ?? 0) < this.windowMax);
  }

  #send(message: Message, delivery: Delivery): void {
    const { stats } = this.#shared;
    const nowMs = message.expiresMs === Infinity ? 0 : this.#shared.now();
    if (message.expired(nowMs)) {
      stats.lost.expired++;
      return;
    }
    const packetId = delivery.qos === 0 ? 0 : this.#inFlight.nextId();
    if (!this.#written(message, delivery, packetId, nowMs)) {
      stats.lost.too_large++;
      return;
    }
    if (packetId > 0) this.#inFlight.sent(packetId, message, delivery);
    stats.delivered++;
    this.#shared.wrote(this);
  }

  /** False when the client cannot take so large a packet [MQTT-3.1.2-24], [MQTT-3.1.2-25]. */
  #written(message: Message, delivery: Delivery, packetId: number, nowMs: number): boolean {
    const { writer } = this.#sink;
    const { packetBytesMax, topicAliasMaximum } = this.#client;
    const version = this.#version;
    const start = writer.length;
    const fits = (alias?: OutboundAlias): boolean => {
      message.write(writer, version, delivery, packetId, nowMs, alias);
      if (writer.length - start <= packetBytesMax) return true;
      writer.length = start;
      return false;
    };
    if (topicAliasMaximum > 0) this.#aliases ??= new OutboundAliases(topicAliasMaximum);
    const alias = this.#aliases?.choose(message.topic);
    if (alias === undefined) return fits();
    if (!fits(alias)) return !alias.known && fits(); // To set an alias takes a few bytes more.
    this.#aliases?.sent(message.topic, alias);
    return true;
  }
}
