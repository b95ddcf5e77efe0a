/**
 * The properties of MQTT 5 (table 2-4) as one annotated array: parsing, generating, checking and
 * the type {@linkcode Properties} all come from it.
 *
 * @module
 */
import type { PacketKind } from "./packet_type.ts";

/** Where properties stand: a packet, or the will inside CONNECT. */
export type PropertyPlace = PacketKind | "will";

/** TypeScript's view of each wire type. `flag` is a byte that must be 0 or 1. */
interface PropertyTypes {
  flag: boolean;
  byte: number;
  uint16: number;
  uint32: number;
  varint: number;
  text: string;
  binary: Uint8Array;
  pair: readonly [name: string, value: string];
}

export interface PropertySpec {
  readonly id: number;
  readonly name: string;
  readonly type: keyof PropertyTypes;
  readonly places: readonly PropertyPlace[];
  /** May stand more than once; the value is an array. `except`: at most once in these. */
  readonly repeats?: { readonly except: readonly PropertyPlace[] };
  readonly min?: number;
  readonly max?: number;
}

const everyReply = [
  "connack",
  "puback",
  "pubrec",
  "pubrel",
  "pubcomp",
  "suback",
  "unsuback",
  "disconnect",
  "auth",
] as const;

export const propertyTable = [
  { id: 0x01, name: "payloadFormatIndicator", type: "flag", places: ["publish", "will"] },
  { id: 0x02, name: "messageExpiryIntervalS", type: "uint32", places: ["publish", "will"] },
  { id: 0x03, name: "contentType", type: "text", places: ["publish", "will"] },
  { id: 0x08, name: "responseTopic", type: "text", places: ["publish", "will"] },
  { id: 0x09, name: "correlationData", type: "binary", places: ["publish", "will"] },
  {
    id: 0x0b,
    name: "subscriptionIdentifiers",
    type: "varint",
    places: ["publish", "subscribe"],
    repeats: { except: ["subscribe"] },
    min: 1,
  },
  {
    id: 0x11,
    name: "sessionExpiryIntervalS",
    type: "uint32",
    places: ["connect", "connack", "disconnect"],
  },
  { id: 0x12, name: "assignedClientIdentifier", type: "text", places: ["connack"] },
  { id: 0x13, name: "serverKeepAliveS", type: "uint16", places: ["connack"] },
  {
    id: 0x15,
    name: "authenticationMethod",
    type: "text",
    places: ["connect", "connack", "auth"],
  },
  {
    id: 0x16,
    name: "authenticationData",
    type: "binary",
    places: ["connect", "connack", "auth"],
  },
  { id: 0x17, name: "requestProblemInformation", type: "flag", places: ["connect"] },
  { id: 0x18, name: "willDelayIntervalS", type: "uint32", places: ["will"] },
  { id: 0x19, name: "requestResponseInformation", type: "flag", places: ["connect"] },
  { id: 0x1a, name: "responseInformation", type: "text", places: ["connack"] },
  { id: 0x1c, name: "serverReference", type: "text", places: ["connack", "disconnect"] },
  { id: 0x1f, name: "reasonString", type: "text", places: everyReply },
  { id: 0x21, name: "receiveMaximum", type: "uint16", places: ["connect", "connack"], min: 1 },
  { id: 0x22, name: "topicAliasMaximum", type: "uint16", places: ["connect", "connack"] },
  { id: 0x23, name: "topicAlias", type: "uint16", places: ["publish"] },
  { id: 0x24, name: "maximumQos", type: "byte", places: ["connack"], max: 1 },
  { id: 0x25, name: "retainAvailable", type: "flag", places: ["connack"] },
  {
    id: 0x26,
    name: "userProperties",
    type: "pair",
    places: [...everyReply, "connect", "publish", "will", "subscribe", "unsubscribe"],
    repeats: { except: [] },
  },
  {
    id: 0x27,
    name: "maximumPacketSize",
    type: "uint32",
    places: ["connect", "connack"],
    min: 1,
  },
  { id: 0x28, name: "wildcardSubscriptionAvailable", type: "flag", places: ["connack"] },
  { id: 0x29, name: "subscriptionIdentifiersAvailable", type: "flag", places: ["connack"] },
  { id: 0x2a, name: "sharedSubscriptionAvailable", type: "flag", places: ["connack"] },
] as const satisfies readonly PropertySpec[];

type Entry = typeof propertyTable[number];
type ValueOf<E extends Entry> = E extends { readonly repeats: object }
  ? readonly PropertyTypes[E["type"]][]
  : PropertyTypes[E["type"]];

/** Properties by name; absent ones have MQTT's default. Units are last in the name: `S` is seconds. */
export type Properties = { readonly [E in Entry as E["name"]]?: ValueOf<E> };
