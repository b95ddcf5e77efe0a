/**
 * Answers to a client: with a reason in words where it wants one and has room for it.
 *
 * @module
 */
import type { Acknowledgement } from "../codec/acknowledgement.ts";
import type { Connack } from "../codec/connack.ts";
import type { Disconnect } from "../codec/disconnect.ts";
import { writePacket } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import type { Suback } from "../codec/suback.ts";
import type { PacketWriter } from "../codec/writer.ts";
import type { ClientLimits } from "../pubsub/client_limits.ts";

/** A packet that may carry a reason string. */
export type Reply = Acknowledgement | Connack | Disconnect | Suback;

const reasonCharsMax = 256;

/**
 * Appends a packet. False: it was not, for it is larger than the client takes [MQTT-3.1.2-24]; a
 * reason is left out before it comes to that.
 */
export function writeReply(
  writer: PacketWriter,
  reply: Reply,
  version: ProtocolVersion,
  { packetBytesMax, reasonStrings }: ClientLimits,
  reason?: string,
): boolean {
  const start = writer.length;
  const fits = (packet: Reply): boolean => {
    writePacket(writer, packet, version);
    if (version !== 5 || writer.length - start <= packetBytesMax) return true;
    writer.length = start;
    return false;
  };
  if (version === 5 && reasonStrings && reason !== undefined) {
    const reasonString = printable(reason);
    if (fits({ ...reply, properties: { ...reply.properties, reasonString } })) return true;
  }
  return fits(reply);
}

/** What clients sent may stand in a reason, and not all of it may stand in MQTT's text. */
function printable(reason: string): string {
  return reason.slice(0, reasonCharsMax).replaceAll(/\p{Cc}/gu, "?");
}
