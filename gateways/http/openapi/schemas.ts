/**
 * What the API's JSON looks like: the `components` of the OpenAPI document.
 *
 * @module
 */
import { limitCountMax } from "../../../actors/rates/account_limits.ts";
import { banSubjects } from "../../../actors/rates/ban.ts";
import { cellStates } from "../../../runtime/cell.ts";
import { accountKinds, auditActions, nameCharsMax, roles } from "../../auth/account.ts";
import { presences } from "../control.ts";
import { itemsMax } from "../ingest/items.ts";
import { integerFrom, ref, type Schema, text } from "./operation.ts";

const count = integerFrom(0);
const number: Schema = { type: "number" };
const time: Schema = { type: "string", format: "date-time" };
const list = (items: Schema): Schema => ({ type: "array", items });
const texts = list(text);
const counts: Schema = { type: "object", additionalProperties: count };
const value: Schema = { type: ["number", "string", "boolean"] };

/** An object with these members and no others; those whose names end in `?` may be missing. */
function object(members: Readonly<Record<string, Schema>>, others: Schema = {}): Schema {
  const names = Object.keys(members);
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(members).map(([name, schema]) => [name.replace(/\?$/, ""), schema]),
    ),
    required: names.filter((name) => !name.endsWith("?")),
    additionalProperties: false,
    ...others,
  };
}

const pageOf = (items: Schema, others: Readonly<Record<string, Schema>> = {}): Schema =>
  object({
    items: list(items),
    "next?": { ...text, description: "The following page's `cursor`." },
    ...others,
  });

const error = object({ reason: text, detail: text, at: time });

const grants = {
  "roles?": list({ enum: roles }),
  "read?": texts,
  "write?": texts,
  "devices?": texts,
};
const name: Schema = { type: "string", minLength: 1, maxLength: nameCharsMax };
const password: Schema = { type: "string", minLength: 1 };
const account = {
  name,
  kind: { enum: accountKinds },
  roles: list({ enum: roles }),
  read: texts,
  write: texts,
  devices: texts,
  disabled: { type: "boolean" },
  limits: ref("AccountLimits"),
  version: integerFrom(1),
  created: time,
  changed: time,
};

const rate: Schema = {
  type: "string",
  description: "So many in so many seconds, and perhaps more of these: `20:1,600:60`.",
};
const most = integerFrom(1, limitCountMax);
/** Limits of one account. */
const limits = (member: (schema: Schema) => Schema): Schema =>
  object({
    "messages?": member(rate),
    "points?": member(rate),
    "sessionsMax?": member(most),
    "subscriptionsMax?": member(most),
    "retainedMax?": member(most),
  });

const position = list(number);
const open = { additionalProperties: true };

export const schemas: Readonly<Record<string, Schema>> = {
  Problem: object({
    type: { type: "string", pattern: "^urn:sluice:problem:[a-z-]+$" },
    title: text,
    status: integerFrom(400, 599),
    detail: { ...text, description: "What was wrong here, and what to do." },
    "errors?": list(object({ parameter: text, message: text })),
    "reasons?": texts,
    "rejected?": list(ref("RejectedItem")),
    "accepted?": count,
    "taken?": { ...count, description: "Items before this one are settled." },
    "outcome?": { enum: ["dead_lettered", "refused"] },
    "reason?": text,
    "published?": { type: "boolean" },
  }),
  RejectedItem: object({
    index: count,
    outcome: { enum: ["dead_lettered", "refused"] },
    reason: text,
    "detail?": text,
  }),
  Status: object({
    version: text,
    gateway: text,
    store: text,
    endpoints: { ...texts, description: "Where devices may connect." },
    accountsRequired: { type: "boolean" },
    started: time,
    now: time,
    shards: integerFrom(1),
    notReady: texts,
    readings: {
      ...object({
        received: count,
        stored: count,
        duplicate: count,
        deadLettered: count,
        refused: count,
        inFlight: count,
        spool: count,
      }),
      description: "`received` is the sum of the others.",
    },
    reasons: {
      ...object({ deadLettered: counts, refused: counts }),
      description: "How many of `deadLettered` and `refused` have which reason.",
    },
    spoolBytes: count,
    sessions: count,
    devices: object({ online: count, silent: count, offline: count }),
    restarts: count,
  }),
  Device: object({
    id: text,
    shard: count,
    presence: { enum: presences },
    lastSeen: time,
    values: { type: "object", additionalProperties: value },
    counters: counts,
    "limitedForMs?": number,
    "quarantined?": { const: true, description: "Its readings are dead letters." },
    "lastError?": error,
  }),
  DevicePage: pageOf(ref("Device")),
  Point: object({
    time: { ...time, description: "With nanoseconds." },
    device: text,
    metric: text,
    value: { type: ["number", "string", "boolean", "null"] },
  }),
  PointPage: pageOf(ref("Point"), {
    "hint?": { ...text, description: "There are none, for nobody has heard of the device." },
  }),
  Actor: object({
    id: text,
    path: text,
    kind: text,
    state: { enum: cellStates },
    mailboxDepth: count,
    mailboxLimit: count,
    handled: count,
    refused: { ...count, description: "Times that it answered that its mailbox was full." },
    restarts: count,
    "lastError?": object({ name: text, message: text, at: time }),
    children: list(ref("Actor")),
    childrenOmitted: count,
  }),
  DeadLetter: object({
    id: text,
    topic: text,
    arrived: time,
    reason: text,
    detail: text,
    transport: text,
    "payload?": { ...text, description: "When it is text." },
    "payloadBase64?": { type: "string", contentEncoding: "base64" },
  }),
  DeadLetterPage: pageOf(ref("DeadLetter")),
  RefusedTopics: object({
    items: list(object({
      topic: { ...text, description: "Of a long one the beginning, and `…`." },
      reason: text,
      count,
      last: time,
    })),
    forgotten: { ...count, description: "How many topics had to go for later ones." },
  }),
  Ban: object({
    key: { ...text, description: "What to DELETE it by." },
    subject: { enum: banSubjects },
    reason: text,
    "by?": { ...text, description: "The admin; absent when Sluice did by itself." },
    since: time,
    until: time,
  }),
  BanPage: pageOf(ref("Ban")),
  BanOrder: {
    ...object({
      "client?": { ...text, description: "A client id, of `account` if that is given." },
      "account?": text,
      "address?": { ...text, description: "An IP address; of IPv6, its /64." },
      forS: integerFrom(1, 315_360_000),
      "reason?": text,
    }),
    description: "Either `address`, or `client`, `account` or both.",
  },
  ReplayChoice: object({ "reason?": text, "ids?": texts }),
  ReplayResult: object({ replayed: count, remaining: count }),
  LiveState: object({
    device: text,
    presence: { enum: presences },
    lastSeen: time,
    values: { type: "object", additionalProperties: value },
  }),
  LiveFeature: object({
    type: { const: "Feature" },
    id: text,
    geometry: {
      anyOf: [object({ type: { const: "Point" }, coordinates: position }), { type: "null" }],
      description: "`null`: `lat` and `lon` are no place on Earth.",
    },
    properties: object({ presence: { enum: presences }, lastSeen: time }, open),
  }),
  LiveTally: object({
    devices: count,
    checksum: {
      type: "string",
      pattern: "^[0-9a-f]{8}$",
      description: "The exclusive or of the FNV-1a (32 bit) of the devices' ids.",
    },
  }),
  TopicMessage: object({
    topic: text,
    "payload?": { ...text, description: "When it is text." },
    "payloadBase64?": { type: "string", contentEncoding: "base64" },
    qos: integerFrom(0, 2),
    retain: { type: "boolean" },
    "id?": text,
    "time?": time,
    "contentType?": text,
    "responseTopic?": text,
    "correlationData?": { type: "string", contentEncoding: "base64" },
    "userProperties?": list(list(text)),
  }),
  TopicHistory: object({
    items: list(ref("TopicMessage")),
    "readings?": { ...text, description: "Where the values of the topic's device are stored." },
  }),
  TopicGap: object({
    reason: { enum: ["history", "slow"] },
    "detail?": text,
    "lost?": count,
  }),
  Reading: {
    description: "One reading. Its topic is the request's, or follows from what it is.",
    anyOf: [
      ref("TopicReading"),
      ref("DeviceReading"),
      ref("WeatherReading"),
      ref("PositionReading"),
      ref("Feature"),
      { type: "object", description: "The payload of the topic that the request names." },
    ],
  },
  TopicReading: object({ topic: text, payload: {} }, open),
  DeviceReading: object({ uuid: text, "value?": number }, open),
  WeatherReading: object({ name: text, "temperature?": number, "timestamp?": {} }, open),
  PositionReading: object({ fleet: text, vehicle: text, "lat?": number, "lon?": number }, open),
  Feature: object({
    type: { const: "Feature" },
    geometry: object({ type: text, coordinates: {} }, open),
    properties: object({ fleet: text, vehicle: text }, open),
  }, open),
  FeatureCollection: object({
    type: { const: "FeatureCollection" },
    features: { ...list(ref("Feature")), maxItems: itemsMax },
  }, open),
  Readings: {
    anyOf: [
      ref("Reading"),
      { ...list(ref("Reading")), maxItems: itemsMax },
      ref("FeatureCollection"),
    ],
  },
  CommandResult: object({ result: {} }),
  Credentials: object({
    name: text,
    password: text,
    "session?": {
      type: ["boolean", "string"],
      description: "The token comes as a cookie too.",
    },
  }, open),
  Token: object({
    token: text,
    tokenType: { const: "Bearer" },
    expiresAt: time,
    endpoints: { ...texts, description: "Where to connect, best first." },
  }),
  Account: object(account),
  AccountPage: pageOf(ref("Account")),
  IssuedAccount: object({
    ...account,
    password: { ...password, description: "It is told this once." },
  }),
  NewAccount: object({
    name,
    kind: { enum: accountKinds },
    "password?": password,
    ...grants,
    "limits?": ref("AccountLimits"),
  }),
  AccountLimits: limits((schema) => schema),
  LimitsOrder: object({ limits: limits((schema) => ({ anyOf: [schema, { type: "null" }] })) }),
  GrantOrder: object({ name, ...grants }),
  NameOrder: object({ name }),
  RotateOrder: object({ name, "password?": password }),
  AuditEntry: object({
    sequence: integerFrom(1),
    at: time,
    actor: text,
    action: { enum: auditActions },
    target: text,
    version: count,
    detail: text,
  }),
  AuditPage: pageOf(ref("AuditEntry")),
};
