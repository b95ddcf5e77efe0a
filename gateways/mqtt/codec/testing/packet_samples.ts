/**
 * One table of packets for the codec's tests: each with the bytes it must be, spelled by hand from
 * the specification, so that reading and writing are checked against something else than each other.
 *
 * @module
 */
import type { Packet } from "../packet.ts";
import type { ProtocolVersion, Role } from "../packet_type.ts";
import { noProperties } from "../properties.ts";

export interface PacketSample {
  readonly name: string;
  readonly version: ProtocolVersion;
  /** Who receives it. */
  readonly to: Role;
  readonly packet: Packet;
  readonly hex: string;
}

const none = { properties: noProperties };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export const packetSamples: readonly PacketSample[] = [
  {
    name: "CONNECT 3.1",
    version: 3,
    to: "server",
    packet: { kind: "connect", version: 3, clean: true, keepAliveS: 60, clientId: "a", ...none },
    hex: "10 0f 0006 4d5149736470 03 02 003c 0001 61",
  },
  {
    name: "CONNECT 3.1.1 with everything",
    version: 4,
    to: "server",
    packet: {
      kind: "connect",
      version: 4,
      clean: false,
      keepAliveS: 300,
      clientId: "dev",
      username: "u",
      password: text("pw"),
      will: { topic: "w", payload: text("x"), qos: 1, retain: true, ...none },
      ...none,
    },
    hex: "10 1c 0004 4d515454 04 ec 012c 0003 646576 0001 77 0001 78 0001 75 0002 7077",
  },
  {
    name: "CONNECT 5 with properties",
    version: 5,
    to: "server",
    packet: {
      kind: "connect",
      version: 5,
      clean: true,
      keepAliveS: 0,
      clientId: "",
      password: text("p"),
      will: {
        topic: "w",
        payload: text(""),
        qos: 2,
        retain: false,
        properties: { willDelayIntervalS: 5 },
      },
      properties: { sessionExpiryIntervalS: 10, receiveMaximum: 100 },
    },
    hex: "10 23 0004 4d515454 05 56 0000 08 11 0000000a 21 0064 0000 05 18 00000005 0001 77 0000 " +
      "0001 70",
  },
  {
    name: "CONNACK 3.1.1",
    version: 4,
    to: "client",
    packet: { kind: "connack", sessionPresent: true, reasonCode: 0, ...none },
    hex: "20 02 01 00",
  },
  {
    name: "CONNACK 3.1.1 refused",
    version: 4,
    to: "client",
    packet: { kind: "connack", sessionPresent: false, reasonCode: 5, ...none },
    hex: "20 02 00 05",
  },
  {
    name: "CONNACK 5",
    version: 5,
    to: "client",
    packet: {
      kind: "connack",
      sessionPresent: false,
      reasonCode: 0,
      properties: { assignedClientIdentifier: "s1", maximumQos: 1, retainAvailable: false },
    },
    hex: "20 0c 00 00 09 12 0002 7331 24 01 25 00",
  },
  {
    name: "PUBLISH 3.1.1 QoS 0",
    version: 4,
    to: "server",
    packet: {
      kind: "publish",
      topic: "a/b",
      payload: text("hi"),
      qos: 0,
      dup: false,
      retain: true,
      packetId: 0,
      ...none,
    },
    hex: "31 07 0003 612f62 6869",
  },
  {
    name: "PUBLISH 3.1.1 QoS 1 again",
    version: 4,
    to: "client",
    packet: {
      kind: "publish",
      topic: "a",
      payload: text(""),
      qos: 1,
      dup: true,
      retain: false,
      packetId: 0x1234,
      ...none,
    },
    hex: "3a 05 0001 61 1234",
  },
  {
    name: "PUBLISH 5 QoS 2 with properties",
    version: 5,
    to: "client",
    packet: {
      kind: "publish",
      topic: "é",
      payload: text("x"),
      qos: 2,
      dup: false,
      retain: false,
      packetId: 1,
      properties: {
        payloadFormatIndicator: true,
        subscriptionIdentifiers: [1, 200],
        userProperties: [["k", "v"], ["k", "w"]],
      },
    },
    hex: "34 1d 0002 c3a9 0001 15 01 01 0b 01 0b c801 26 0001 6b 0001 76 26 0001 6b 0001 77 78",
  },
  {
    name: "PUBLISH 5 by topic alias",
    version: 5,
    to: "server",
    packet: {
      kind: "publish",
      topic: "",
      payload: text("1"),
      qos: 0,
      dup: false,
      retain: false,
      packetId: 0,
      properties: { topicAlias: 7 },
    },
    hex: "30 07 0000 03 23 0007 31",
  },
  {
    name: "PUBACK 3.1.1",
    version: 4,
    to: "client",
    packet: { kind: "puback", packetId: 0xffff, reasonCode: 0, ...none },
    hex: "40 02 ffff",
  },
  {
    name: "PUBACK 5 with a reason",
    version: 5,
    to: "client",
    packet: {
      kind: "puback",
      packetId: 2,
      reasonCode: 0x97,
      properties: { reasonString: "no" },
    },
    hex: "40 09 0002 97 05 1f 0002 6e6f",
  },
  {
    name: "PUBREC 5 with a code alone",
    version: 5,
    to: "server",
    packet: { kind: "pubrec", packetId: 2, reasonCode: 0x10, ...none },
    hex: "50 03 0002 10",
  },
  {
    name: "PUBREL 3.1.1",
    version: 4,
    to: "server",
    packet: { kind: "pubrel", packetId: 2, reasonCode: 0, ...none },
    hex: "62 02 0002",
  },
  {
    name: "PUBCOMP 5",
    version: 5,
    to: "client",
    packet: { kind: "pubcomp", packetId: 2, reasonCode: 0x92, ...none },
    hex: "70 03 0002 92",
  },
  {
    name: "SUBSCRIBE 3.1.1",
    version: 4,
    to: "server",
    packet: {
      kind: "subscribe",
      packetId: 1,
      subscriptions: [
        { filter: "a/+", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        { filter: "#", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
      ...none,
    },
    hex: "82 0c 0001 0003 612f2b 01 0001 23 00",
  },
  {
    name: "SUBSCRIBE 5",
    version: 5,
    to: "server",
    packet: {
      kind: "subscribe",
      packetId: 1,
      subscriptions: [
        { filter: "a", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      ],
      properties: { subscriptionIdentifiers: [300] },
    },
    hex: "82 0a 0001 03 0b ac02 0001 61 2e",
  },
  {
    name: "SUBACK 3.1.1",
    version: 4,
    to: "client",
    packet: { kind: "suback", packetId: 1, reasonCodes: [1, 0x80], ...none },
    hex: "90 04 0001 01 80",
  },
  {
    name: "SUBACK 5",
    version: 5,
    to: "client",
    packet: { kind: "suback", packetId: 1, reasonCodes: [0x8f], ...none },
    hex: "90 04 0001 00 8f",
  },
  {
    name: "UNSUBSCRIBE 5",
    version: 5,
    to: "server",
    packet: { kind: "unsubscribe", packetId: 3, filters: ["a", "b/#"], ...none },
    hex: "a2 0b 0003 00 0001 61 0003 622f23",
  },
  {
    name: "UNSUBACK 3.1.1",
    version: 4,
    to: "client",
    packet: { kind: "unsuback", packetId: 3, reasonCodes: [], ...none },
    hex: "b0 02 0003",
  },
  {
    name: "UNSUBACK 5",
    version: 5,
    to: "client",
    packet: { kind: "unsuback", packetId: 3, reasonCodes: [0, 0x11], ...none },
    hex: "b0 05 0003 00 00 11",
  },
  { name: "PINGREQ", version: 4, to: "server", packet: { kind: "pingreq" }, hex: "c0 00" },
  { name: "PINGRESP", version: 5, to: "client", packet: { kind: "pingresp" }, hex: "d0 00" },
  {
    name: "DISCONNECT 3.1.1",
    version: 4,
    to: "server",
    packet: { kind: "disconnect", reasonCode: 0, ...none },
    hex: "e0 00",
  },
  {
    name: "DISCONNECT 5",
    version: 5,
    to: "client",
    packet: {
      kind: "disconnect",
      reasonCode: 0x9d,
      properties: { serverReference: "h" },
    },
    hex: "e0 06 9d 04 1c 0001 68",
  },
  {
    name: "AUTH 5",
    version: 5,
    to: "server",
    packet: {
      kind: "auth",
      reasonCode: 0x18,
      properties: { authenticationMethod: "m", authenticationData: text("d") },
    },
    hex: "f0 0a 18 08 15 0001 6d 16 0001 64",
  },
];

/** The bytes of a sample. */
export function sampleBytes(sample: PacketSample): Uint8Array {
  const hex = sample.hex.replaceAll(" ", "");
  return Uint8Array.from(
    { length: hex.length / 2 },
    (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
