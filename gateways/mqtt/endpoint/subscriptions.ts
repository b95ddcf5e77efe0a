/**
 * What a session needs of the broker's side, and how SUBSCRIBE and UNSUBSCRIBE are answered.
 *
 * @module
 */
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import { reasonCodes, reasonName, subackFailure } from "../codec/reason_code.ts";
import type { Suback } from "../codec/suback.ts";
import type { PubSub } from "../pubsub/pubsub.ts";

/** Messages from publishers to subscribers. */
export type MessageExchange = Pick<
  PubSub,
  | "open"
  | "subscribe"
  | "unsubscribe"
  | "forget"
  | "publish"
  | "publishAnyway"
  | "mayRetain"
  | "flush"
  | "kept"
>;

/** SUBACK or UNSUBACK as the client's version knows it: MQTT 3 has one code for every failure. */
export function subscriptionReply(
  kind: Suback["kind"],
  packetId: number,
  codes: readonly number[],
  version: ProtocolVersion,
): Suback {
  return {
    kind,
    packetId,
    reasonCodes: codes.map((code) => version !== 5 && code >= 0x80 ? subackFailure : code),
    properties: noProperties,
  };
}

/** The first filter that was refused, in words; there is one reason string for all of them. */
export function subscriptionRefusal(codes: readonly number[]): string | undefined {
  const at = codes.findIndex((code) => code >= 0x80);
  if (at < 0) return undefined;
  return `filter ${at + 1} of ${codes.length}: ${refusalWords(codes[at]!)}`;
}

function refusalWords(code: number): string {
  switch (code) {
    case reasonCodes.topicFilterInvalid:
      return "+ and # stand alone in a level, # comes last, and a share has a name and a filter";
    case reasonCodes.notAuthorized:
      return "the account may not read all that it matches";
    case reasonCodes.quotaExceeded:
      return "too many subscriptions, or too long a filter";
    default:
      return reasonName(code);
  }
}
