/**
 * SUBSCRIBE (§3.8).
 *
 * @module
 */
import { fixedFlags, packetTypes, type ProtocolVersion } from "./packet_type.ts";
import { noProperties, readProperties, writeProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { malformed, violation } from "./protocol_error.ts";
import type { Qos } from "./publish.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

/** One topic filter with its options; those after `qos` are MQTT 5's and false or 0 before. */
export interface Subscription {
  /** Text; whether it is a valid filter is for the receiver to check and answer per filter. */
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: send retained messages; 1: only for a new subscription; 2: never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  readonly kind: "subscribe";
  readonly packetId: number;
  readonly subscriptions: readonly Subscription[];
  readonly properties: Properties;
}

export function readSubscribe(reader: PacketReader, version: ProtocolVersion): Subscribe {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, "subscribe") : noProperties;
  if (reader.done) throw violation("SUBSCRIBE without a topic filter", "MQTT-3.8.3-2");
  const subscriptions: Subscription[] = [];
  while (!reader.done) subscriptions.push(readSubscription(reader, version));
  return { kind: "subscribe", packetId, subscriptions, properties };
}

export function writeSubscribe(
  writer: PacketWriter,
  packet: Subscribe,
  version: ProtocolVersion,
): void {
  writer.byte((packetTypes.subscribe << 4) | fixedFlags(packetTypes.subscribe));
  const start = writer.openLength();
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, "subscribe");
  for (const subscription of packet.subscriptions) {
    writer.text(subscription.filter);
    const newer = (subscription.noLocal ? 0b100 : 0) |
      (subscription.retainAsPublished ? 0b1000 : 0) | (subscription.retainHandling << 4);
    writer.byte(subscription.qos | (version === 5 ? newer : 0));
  }
  writer.closeLength(start);
}

function readSubscription(reader: PacketReader, version: ProtocolVersion): Subscription {
  const filter = reader.text();
  const options = reader.byte();
  const qos = options & 0b11;
  const retainHandling = (options >> 4) & 0b11;
  if (options > (version === 5 ? 0b0011_1111 : 0b11) || qos === 3) {
    throw malformed(`subscription options ${options}`, "MQTT-3.8.3-5");
  }
  if (retainHandling === 3) throw violation("retain handling 3", "MQTT-3.8.3.1");
  const noLocal = (options & 0b100) !== 0;
  if (noLocal && filter.startsWith("$share/")) {
    throw violation("no local on a shared subscription", "MQTT-3.8.3-4");
  }
  return {
    filter,
    qos: qos as Qos,
    noLocal,
    retainAsPublished: (options & 0b1000) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}
