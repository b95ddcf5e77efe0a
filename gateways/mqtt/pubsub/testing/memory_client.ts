/**
 * A subscriber in memory, and messages for it, for tests.
 *
 * @module
 */
import { type Offer, offerFlags } from "../../../../actors/intake.ts";
import type { SubscriptionQuota } from "../../../../actors/rates/account_quotas.ts";
import { noProperties } from "../../codec/properties.ts";
import type { Properties } from "../../codec/property_table.ts";
import type { Publish, Qos } from "../../codec/publish.ts";
import type { Subscription } from "../../codec/subscribe.ts";
import { packetsOf } from "../../codec/testing/packets_of.ts";
import { PacketWriter } from "../../codec/writer.ts";
import { unlimited } from "../client_limits.ts";
import type { Outbound } from "../outbound.ts";
import type { PubSub } from "../pubsub.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Reason codes. */
type Answer = ReturnType<PubSub["subscribe"]>;

/** A subscriber whose socket takes everything, or nothing. */
export class Client {
  readonly outbound: Outbound;
  readonly #pubsub: PubSub;
  readonly #sink = { writer: new PacketWriter(), waitingBytes: 0, flush() {} };
  #packetId = 0;

  constructor(
    pubsub: PubSub,
    receiveMaximum = 100,
    packetBytesMax = Infinity,
    topicAliasMaximum = 0,
    quota?: SubscriptionQuota,
  ) {
    this.#pubsub = pubsub;
    const client = { ...unlimited, receiveMaximum, packetBytesMax, topicAliasMaximum };
    this.outbound = pubsub.open({ version: 5, sink: this.#sink, client, quota });
  }

  set stalled(stalled: boolean) {
    this.#sink.waitingBytes = stalled ? Infinity : 0;
    this.outbound.pump();
  }

  subscribe(filter: string, options: Partial<Subscription> = {}, id?: number): Answer {
    const subscription: Subscription = {
      filter,
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      ...options,
    };
    const properties = id === undefined ? noProperties : { subscriptionIdentifiers: [id] };
    const packetId = ++this.#packetId;
    const answer = this.#pubsub.subscribe(this.outbound, {
      kind: "subscribe",
      packetId,
      subscriptions: [subscription],
      properties,
    });
    if (!(answer instanceof Promise)) this.outbound.pump();
    return answer;
  }

  unsubscribe(filter: string): readonly number[] {
    const packet = { kind: "unsubscribe", packetId: 1, filters: [filter], properties: {} } as const;
    return this.#pubsub.unsubscribe(this.outbound, packet);
  }

  /** Takes what was written. */
  packets(): Publish[] {
    const { writer } = this.#sink;
    const bytes = writer.bytes.slice(0, writer.length);
    writer.length = 0;
    return packetsOf(5, bytes).filter((packet) => packet.kind === "publish");
  }

  payloads(): string[] {
    return this.packets().map(({ payload }) => text.decode(payload));
  }
}

function offerOf(topic: string, payload: string, qos: Qos, retain = false): Offer {
  const bytes = utf8.encode(topic + payload);
  const topicEnd = utf8.encode(topic).length;
  return {
    bytes,
    topicStart: 0,
    topicEnd,
    payloadStart: topicEnd,
    payloadEnd: bytes.length,
    flags: qos | (retain ? offerFlags.retain : 0),
    packetId: 1,
    sequence: 0,
  };
}

interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: Properties;
  readonly from?: Client;
}

/** Publishes, and sends on what comes of it. False: there is nobody. */
export function publish(
  pubsub: PubSub,
  topic: string,
  payload: string,
  { qos = 0, retain = false, properties = noProperties, from }: PublishOptions = {},
): boolean {
  const offer = offerOf(topic, payload, qos, retain);
  const reached = pubsub.publish(offer, properties, from?.outbound);
  pubsub.flush();
  return reached;
}
