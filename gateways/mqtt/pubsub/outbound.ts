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
import { DeliveryQueue, type QueueLimits } from "./delivery_queue.ts";
import type { Delivery, Message } from "./message.ts";
import { type OutboundAlias, OutboundAliases } from "./outbound_aliases.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { RetainedFeed } from "./retained_feed.ts";
import type { Subscriber } from "./subscription_table.ts";

/** Where packets are written to. */
export interface OutboundSink {
  readonly writer: PacketWriter;
  readonly waitingBytes: number;
  flush(): void;
}

export interface OutboundOptions {
  readonly version: ProtocolVersion;
  readonly sink: OutboundSink;
  readonly client: ClientLimits;
  readonly queue: QueueLimits;
  /** QoS 1 and 2 messages at once, whatever the client allows. */
  readonly inFlightMax: number;
  readonly stats: PubSubStats;
  /** The session, when it outlives its connection: QoS 1 and 2 messages come from there. */
  readonly kept: KeptAttachment | undefined;
  /** Of its account. */
  readonly quota: SubscriptionQuota | undefined;
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

type Awaits = "puback" | "pubrec" | "pubcomp";

/** See the module. */
export class Outbound implements Subscriber, DeliverySink {
  readonly names = new Set<string>();
  readonly kept: KeptAttachment | undefined;
  readonly #options: OutboundOptions;
  readonly #queue: DeliveryQueue;
  readonly #inFlight = new Map<number, Awaits>();
  readonly #inFlightMax: number;
  /** Absent when the client wants none [MQTT-3.1.2-27]. */
  readonly #aliases: OutboundAliases | undefined;
  #feeds: RetainedFeed[] = [];
  #lastId = 0;
  #open = true;

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.#queue = new DeliveryQueue(options.queue, options.stats);
    const { receiveMaximum, topicAliasMaximum } = options.client;
    this.#inFlightMax = Math.min(receiveMaximum, options.inFlightMax);
    this.kept = options.kept;
    this.kept?.open(this, () => this.pump());
    this.#aliases = topicAliasMaximum === 0 ? undefined : new OutboundAliases(topicAliasMaximum);
  }

  get quota(): SubscriptionQuota | undefined {
    return this.#options.quota;
  }

  /** QoS 1 and 2 messages that the client has not acknowledged to the end. */
  get inFlight(): number {
    return this.#inFlight.size + (this.kept?.delivery.inFlight ?? 0);
  }

  /** Whether it keeps up: a shared message goes to a member that does. */
  get ready(): boolean {
    return this.#queue.count === 0 && this.mayWrite;
  }

  deliver(message: Message, delivery: Delivery): void {
    if (!this.#open) return;
    if (this.#queue.count === 0 && this.#maySend(delivery.qos)) this.#send(message, delivery);
    else this.#queue.push({ message, ...delivery });
  }

  /** Sends retained messages, after what waits already. {@linkcode Outbound.pump} starts it. */
  feed(feed: RetainedFeed): void {
    this.unfed(feed.name);
    this.#feeds.push(feed);
  }

  /** Forgets the retained messages of a subscription that is no more. */
  unfed(name: string): void {
    this.#feeds = this.#feeds.filter((feed) => feed.name !== name);
  }

  /**
   * The connection has taken everything. A write that is through at once tells so in a microtask:
   * what has no bound goes on after the event loop had its share, or nobody else would.
   */
  drained(): void {
    if (this.#feeds.length > 0) this.#options.again(this);
    else this.pump();
  }

  /** Sends as much of what waits as can be sent now. */
  pump(): void {
    if (!this.#open) return;
    let pages = 0;
    const through = this.kept?.delivery.pump() ?? true;
    for (;;) {
      const next = this.#queue.first;
      if (next !== undefined) {
        if (!this.#maySend(next.qos)) return;
        this.#queue.shift();
        this.#send(next.message, next);
        continue;
      }
      const feed = this.#feeds[0];
      if (feed === undefined || !through || !this.mayWrite) return;
      if (pages++ === pagesAtOnce) return this.#options.again(this);
      const items = feed.next(this.#options.now());
      if (feed.done) this.#feeds.shift();
      const kept = this.kept;
      for (const item of items) if (kept === undefined || item.qos === 0) this.#queue.push(item);
      if (kept === undefined) continue;
      kept.fed(feed, items.filter(({ qos }) => qos > 0));
      pages = pagesAtOnce; // The rest when this is in the file.
    }
  }

  flush(): void {
    if (this.#open) this.#options.sink.flush();
  }

  /** PUBACK, PUBREC or PUBCOMP of the client. */
  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): void {
    if (this.kept !== undefined) {
      this.kept.delivery.acknowledged(kind, packetId, reasonCode);
      return this.pump();
    }
    const awaits = this.#inFlight.get(packetId);
    if (kind === "pubrec") this.#received(packetId, reasonCode, awaits);
    // One that nothing waits for changes nothing.
    else if (kind === awaits) this.#inFlight.delete(packetId);
    this.pump();
  }

  /** The session has ended. */
  close(): void {
    this.#open = false;
    this.#queue.clear();
    this.#inFlight.clear();
    this.#feeds = [];
  }

  #received(packetId: number, reasonCode: number, awaits: Awaits | undefined): void {
    if (awaits === "pubrec" && reasonCode >= 0x80) {
      this.#inFlight.delete(packetId);
      return;
    }
    const found = awaits === "pubrec" || awaits === "pubcomp";
    if (found) this.#inFlight.set(packetId, "pubcomp");
    this.release(packetId, found);
  }

  // --- For the messages of a kept session.

  get windowMax(): number {
    return this.#inFlightMax;
  }

  get mayWrite(): boolean {
    return this.#options.sink.waitingBytes < sinkBytesMax;
  }

  publish(message: Message, delivery: Delivery, packetId: number, dup: boolean): boolean {
    const { sink: { writer }, stats } = this.#options;
    const nowMs = message.expiresMs === Infinity ? 0 : this.#options.now();
    const start = writer.length;
    if (!this.#written(message, delivery, packetId, nowMs)) return false;
    if (dup) writer.bytes[start]! |= dupFlag;
    stats.delivered++;
    this.#options.wrote(this);
    return true;
  }

  /** Sends PUBREL. */
  release(packetId: number, found: boolean): void {
    const { sink, version, stats } = this.#options;
    stats.released++;
    if (found) {
      writeAcknowledged(sink.writer, "pubrel", packetId);
    } else {
      const code = reasonCodes.packetIdentifierNotFound;
      writeAcknowledgement(
        sink.writer,
        { kind: "pubrel", packetId, reasonCode: code, properties: noProperties },
        version,
      );
    }
    this.#options.wrote(this);
  }

  #maySend(qos: Qos): boolean {
    return this.mayWrite && (qos === 0 || this.#inFlight.size < this.#inFlightMax);
  }

  #send(message: Message, delivery: Delivery): void {
    const { stats } = this.#options;
    const nowMs = message.expiresMs === Infinity ? 0 : this.#options.now();
    if (message.expired(nowMs)) {
      stats.lost.expired++;
      return;
    }
    const packetId = delivery.qos === 0 ? 0 : this.#nextId();
    if (!this.#written(message, delivery, packetId, nowMs)) {
      stats.lost.too_large++;
      return;
    }
    if (packetId > 0) this.#inFlight.set(packetId, delivery.qos === 1 ? "puback" : "pubrec");
    stats.delivered++;
    this.#options.wrote(this);
  }

  /** False when the client cannot take so large a packet [MQTT-3.1.2-24], [MQTT-3.1.2-25]. */
  #written(message: Message, delivery: Delivery, packetId: number, nowMs: number): boolean {
    const { sink: { writer }, version, client: { packetBytesMax } } = this.#options;
    const start = writer.length;
    const fits = (alias?: OutboundAlias): boolean => {
      message.write(writer, version, delivery, packetId, nowMs, alias);
      if (writer.length - start <= packetBytesMax) return true;
      writer.length = start;
      return false;
    };
    const alias = this.#aliases?.choose(message.topic);
    if (alias === undefined) return fits();
    if (!fits(alias)) return !alias.known && fits(); // To set an alias takes a few bytes more.
    this.#aliases?.sent(message.topic, alias);
    return true;
  }

  /** There is one: fewer are in flight than exist. */
  #nextId(): number {
    do this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1; while (
      this.#inFlight.has(this.#lastId)
    );
    return this.#lastId;
  }
}
