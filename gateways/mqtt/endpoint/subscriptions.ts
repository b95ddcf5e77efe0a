/**
 * What a session needs of the broker's side, and how SUBSCRIBE and UNSUBSCRIBE are answered.
 *
 * @module
 */
import type { Connect } from "../codec/connect.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import { subackFailure } from "../codec/reason_code.ts";
import type { Suback } from "../codec/suback.ts";
import type { ClientLimits } from "../pubsub/outbound.ts";
import type { PubSub } from "../pubsub/pubsub.ts";

/** Messages from publishers to subscribers. */
export type MessageExchange = Pick<
  PubSub,
  "open" | "subscribe" | "unsubscribe" | "forget" | "publish" | "flush"
>;

/** For a client that has said nothing of it. */
export const unlimited: ClientLimits = { receiveMaximum: 0xffff, packetBytesMax: Infinity };

/** What a client said it can take. */
export function clientLimits({ properties }: Connect): ClientLimits {
  const { receiveMaximum, maximumPacketSize } = properties;
  if (receiveMaximum === undefined && maximumPacketSize === undefined) return unlimited;
  return {
    receiveMaximum: receiveMaximum ?? unlimited.receiveMaximum,
    packetBytesMax: maximumPacketSize ?? unlimited.packetBytesMax,
  };
}

/** SUBACK or UNSUBACK as the client's version knows it: MQTT 3 has one code for every failure. */
export function subscriptionReply(
  kind: Suback["kind"],
  packetId: number,
  codes: readonly number[],
  version: ProtocolVersion,
): Suback {
  const reasonCodes = codes.map((code) => version !== 5 && code >= 0x80 ? subackFailure : code);
  return { kind, packetId, reasonCodes, properties: noProperties };
}
