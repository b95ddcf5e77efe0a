/**
 * What a session offers the intake: the ranges of a PUBLISH, with the topic that its alias stands
 * for.
 *
 * @module
 */
import { blankOffer, type Offer } from "../../../actors/intake.ts";
import { noProperties } from "../codec/properties.ts";
import type { Properties } from "../codec/property_table.ts";
import { violation } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { topicAliasMaximum } from "./connect_rules.ts";
import { fillOffer } from "./fill_offer.ts";
import { TopicAliases } from "./topic_aliases.ts";

/** One offer, and room to put topic and payload together, for all sessions of a shard. */
export class OfferScratch {
  readonly joined = new PacketWriter();
  readonly offer = blankOffer();
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
    fillOffer(offer, view);
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
