/**
 * What a session offers the intake: the ranges of a PUBLISH, with the topic that its alias stands
 * for.
 *
 * @module
 */
import { type Offer, offerFlags } from "../../../actors/intake.ts";
import { noProperties } from "../codec/properties.ts";
import type { Properties } from "../codec/property_table.ts";
import { violation } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { topicAliasMaximum } from "./connect_rules.ts";
import { TopicAliases } from "./topic_aliases.ts";

/** One offer, and room to put topic and payload together, for all sessions of a shard. */
export class OfferScratch {
  readonly joined = new PacketWriter();
  readonly offer: Offer = {
    bytes: this.joined.bytes,
    topicStart: 0,
    topicEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
    flags: 0,
    packetId: 0,
    sequence: 0,
  };
}

/** See the module. One for each session. */
export class InboundOffers {
  readonly #scratch: OfferScratch;
  #aliases: TopicAliases | undefined;

  constructor(scratch: OfferScratch) {
    this.#scratch = scratch;
  }

  /** Good until the next one of any session. Throws a `ProtocolError` for what may not be sent. */
  of(view: PublishView): Offer {
    if (view.properties !== noProperties) checkProperties(view.properties);
    const { offer, joined } = this.#scratch;
    offer.bytes = view.bytes;
    offer.topicStart = view.topicStart;
    offer.topicEnd = view.topicEnd;
    offer.payloadStart = view.payloadStart;
    offer.payloadEnd = view.payloadEnd;
    offer.packetId = view.packetId;
    offer.flags = view.qos | (view.dup ? offerFlags.dup : 0) |
      (view.retain ? offerFlags.retain : 0);
    if (view.topicAlias === 0) return offer;
    const topic = (this.#aliases ??= new TopicAliases(topicAliasMaximum)).resolve(view);
    if (topic === undefined) return offer;
    joined.length = 0;
    joined.raw(topic);
    joined.raw(view.bytes.subarray(view.payloadStart, view.payloadEnd));
    offer.bytes = joined.bytes;
    offer.topicStart = 0;
    offer.topicEnd = offer.payloadStart = topic.length;
    offer.payloadEnd = joined.length;
    return offer;
  }
}

/** What only a server may say, and a topic that none may answer to. */
function checkProperties({ subscriptionIdentifiers, responseTopic }: Properties): void {
  if (subscriptionIdentifiers !== undefined) {
    throw violation("a subscription identifier from a client", "MQTT-3.3.4-6");
  }
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) {
    throw violation("a response topic with a wildcard", "MQTT-3.3.2-14");
  }
}
