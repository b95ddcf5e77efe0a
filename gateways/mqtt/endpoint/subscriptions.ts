/**
 * The seam for SUBSCRIBE: who answers it, and what is answered while there is nothing to subscribe
 * to.
 *
 * @module
 */
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import { reasonCodes, subackFailure } from "../codec/reason_code.ts";
import type { Suback } from "../codec/suback.ts";
import type { Subscribe } from "../codec/subscribe.ts";
import { isTopicFilter } from "../codec/text.ts";
import type { Unsubscribe } from "../codec/unsubscribe.ts";
import type { SessionInfo } from "./endpoint_options.ts";

/** Answers one MQTT 5 reason code per filter, in the filters' order. */
export interface SubscriptionHandler {
  subscribe(session: SessionInfo, packet: Subscribe): readonly number[];
  unsubscribe(session: SessionInfo, packet: Unsubscribe): readonly number[];
}

/** Nothing can be subscribed to. */
export const noSubscriptions: SubscriptionHandler = {
  subscribe: (_session, { subscriptions }) =>
    subscriptions.map(({ filter }) =>
      isTopicFilter(filter)
        ? reasonCodes.implementationSpecificError
        : reasonCodes.topicFilterInvalid
    ),
  unsubscribe: (_session, { filters }) =>
    filters.map((filter) =>
      isTopicFilter(filter) ? reasonCodes.noSubscriptionExisted : reasonCodes.topicFilterInvalid
    ),
};

/** SUBACK or UNSUBACK as the client's version knows it: MQTT 3 has one code for every failure. */
export function subscriptionReply(
  handler: SubscriptionHandler,
  session: SessionInfo,
  packet: Subscribe | Unsubscribe,
): Suback {
  const { packetId } = packet;
  const codes = packet.kind === "subscribe"
    ? handler.subscribe(session, packet)
    : handler.unsubscribe(session, packet);
  return {
    kind: packet.kind === "subscribe" ? "suback" : "unsuback",
    packetId,
    reasonCodes: codes.map((code) => codeFor(session.version, code)),
    properties: noProperties,
  };
}

function codeFor(version: ProtocolVersion, code: number): number {
  return version !== 5 && code >= 0x80 ? subackFailure : code;
}
