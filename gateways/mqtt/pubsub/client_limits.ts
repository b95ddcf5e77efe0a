/**
 * What a client said at CONNECT of what it can take, and wants to hear.
 *
 * @module
 */
import type { Properties } from "../codec/property_table.ts";

export interface ClientLimits {
  /** QoS 1 and 2 messages at once. */
  readonly receiveMaximum: number;
  /** Largest packet. */
  readonly packetBytesMax: number;
  /** Topic aliases that may be set towards it; 0: none. */
  readonly topicAliasMaximum: number;
  /** Whether it wants reason strings with every packet that may have one [MQTT-3.1.2-29]. */
  readonly reasonStrings: boolean;
}

/** For a client that has said nothing of it. */
export const unlimited: ClientLimits = {
  receiveMaximum: 0xffff,
  packetBytesMax: Infinity,
  topicAliasMaximum: 0,
  reasonStrings: true,
};

/** From the properties of a CONNECT. */
export function clientLimits(properties: Properties): ClientLimits {
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum } = properties;
  const reasonStrings = properties.requestProblemInformation !== false;
  if (
    receiveMaximum === undefined && maximumPacketSize === undefined &&
    topicAliasMaximum === undefined && reasonStrings
  ) return unlimited;
  return {
    receiveMaximum: receiveMaximum ?? unlimited.receiveMaximum,
    packetBytesMax: maximumPacketSize ?? unlimited.packetBytesMax,
    topicAliasMaximum: topicAliasMaximum ?? 0,
    reasonStrings,
  };
}
