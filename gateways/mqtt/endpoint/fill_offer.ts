import { type Offer, offerFlags } from "../../../actors/intake.ts";
import type { PublishView } from "../codec/publish.ts";

/** Makes `offer` stand for a PUBLISH; its sequence stays. */
export function fillOffer(offer: Offer, view: PublishView): void {
  offer.bytes = view.bytes;
  offer.topicStart = view.topicStart;
  offer.topicEnd = view.topicEnd;
  offer.payloadStart = view.payloadStart;
  offer.payloadEnd = view.payloadEnd;
  offer.packetId = view.packetId;
  offer.flags = view.qos | (view.dup ? offerFlags.dup : 0) | (view.retain ? offerFlags.retain : 0);
}
