import assert from "node:assert/strict";
import { encodePacket } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import type { Publish } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { Authenticate, EndpointServices, SessionPermit } from "./endpoint_options.ts";
import { connectOf, SessionHarness, settle } from "./testing.ts";

const utf8 = new TextDecoder();
/** May publish to `own/{account}` alone. */
const permitOf = (account: string): SessionPermit => ({
  publish: (bytes, start, end) => utf8.decode(bytes.subarray(start, end)) === `own/${account}`,
  subscribe: () => false,
});

/** The user name is the account. */
const byName: Authenticate = ({ username = "" }) => ({
  kind: "granted",
  account: username,
  accountVersion: 1,
  permit: permitOf(username),
});

const harness = (overrides: Partial<EndpointServices> = {}) =>
  new SessionHarness({ authenticate: byName, ...overrides });

function publish(version: ProtocolVersion, topic: string, qos: 0 | 1 | 2, packetId = 7) {
  const packet: Publish = {
    kind: "publish",
    topic,
    qos,
    dup: false,
    retain: false,
    packetId: qos === 0 ? 0 : packetId,
    payload: new TextEncoder().encode("{}"),
    properties: noProperties,
  };
  return encodePacket(packet, version);
}

Deno.test("MQTT 5: a foreign topic is refused with 0x87 at QoS 1 and 2, and counted", async () => {
  const it = harness();
  const connection = await it.connected({ version: 5, username: "A" });
  connection.feed(publish(5, "own/A", 1, 1), publish(5, "own/B", 1, 2), publish(5, "own/B", 2, 3));
  connection.feed(publish(5, "own/B", 0));
  await settle();
  assert.deepEqual(it.intake.taken.map(({ topic }) => topic), ["own/A"]);
  assert.deepEqual(it.intake.denied.map(({ reason }) => reason), Array(3).fill("not_authorized"));
  it.intake.settle([0]);
  await settle();
  const sent = connection.sent(5).map((packet) =>
    "packetId" in packet && "reasonCode" in packet
      ? [packet.kind, packet.packetId, packet.reasonCode]
      : [packet.kind]
  );
  assert.deepEqual(sent, [
    ["puback", 1, reasonCodes.success],
    ["puback", 2, reasonCodes.notAuthorized],
    ["pubrec", 3, reasonCodes.notAuthorized],
  ]);
  await it.system.stop();
});

Deno.test("MQTT 5: a topic alias does not lead around the permission", async () => {
  const it = harness();
  const connection = await it.connected({ version: 5, username: "A" });
  const aliased = (topic: string) =>
    encodePacket({
      kind: "publish",
      topic,
      qos: 1,
      dup: false,
      retain: false,
      packetId: 9,
      payload: new Uint8Array(1),
      properties: { topicAlias: 1 },
    }, 5);
  connection.feed(aliased("own/B"));
  await settle();
  connection.feed(aliased(""));
  await settle();
  assert.equal(it.intake.taken.length, 0);
  assert.equal(it.intake.denied.length, 2);
  await it.system.stop();
});

// Shows 3.1.1: 3.3.5-2.
Deno.test("MQTT 3.1.1: acknowledged and counted, or disconnected, by option", async () => {
  const lenient = harness({ deniedPublish: "acknowledge" });
  const first = await lenient.connected({ version: 4, username: "A" });
  first.feed(publish(4, "own/B", 1));
  await settle();
  assert.deepEqual(first.sent(4).map(({ kind }) => kind), ["puback"]);
  assert.equal(lenient.intake.denied.length, 1);
  await lenient.system.stop();

  const strict = harness({ deniedPublish: "disconnect" });
  const second = await strict.connected({ version: 4, username: "A" });
  second.feed(publish(4, "own/B", 1));
  await settle();
  assert.deepEqual(second.sent(4), []);
  assert.equal(strict.ended[0]?.end, "protocol_error");
  assert.equal(strict.intake.denied.length, 1);
  await strict.system.stop();
});

Deno.test("who is banned while it is being let in is refused, and who is connected ends", async () => {
  for (const version of [4, 5] as const) {
    let banned = false;
    const answer = Promise.withResolvers<Awaited<ReturnType<Authenticate>>>();
    const it = harness({
      authenticate: () => answer.promise,
      bans: {
        version: 1,
        of: () => undefined,
        now: () => banned ? "banned until then" : undefined,
        ended: () => {},
      },
    });
    const { connection } = it.open();
    connection.feed(encodePacket(connectOf({ version, username: "A" }), version));
    await settle();
    banned = true;
    answer.resolve({ kind: "granted", account: "A" });
    await settle();
    const [connack] = connection.sent(version);
    assert.ok(connack?.kind === "connack");
    assert.equal(connack.reasonCode, version === 5 ? 0x8a : 5);
    assert.equal(it.ended[0]?.end, "refused");

    banned = false;
    const { connection: other } = it.open();
    other.feed(encodePacket(connectOf({ version, username: "A" }), version));
    await settle();
    other.sent(version);
    banned = true;
    for (const session of it.shared.registry.values()) session.bansChanged();
    await settle();
    const codes = other.sent(version).map((packet) =>
      packet.kind === "disconnect" && packet.reasonCode
    );
    // 0x8A is no code of DISCONNECT.
    assert.deepEqual(codes, version === 5 ? [reasonCodes.administrativeAction] : []);
    assert.deepEqual(it.ended[1]?.end, "banned");
    await it.system.stop();
  }
});

Deno.test("a will on a foreign topic is refused at CONNECT", async () => {
  for (const version of [4, 5] as const) {
    const it = harness();
    const { connection } = it.open();
    const will = {
      topic: "own/B",
      payload: new Uint8Array(1),
      qos: 1,
      retain: false,
      properties: noProperties,
    } as const;
    connection.feed(encodePacket(connectOf({ version, username: "A", will }), version));
    await settle();
    const [connack] = connection.sent(version);
    assert.ok(connack?.kind === "connack");
    assert.equal(connack.reasonCode, version === 5 ? reasonCodes.notAuthorized : 5);
    assert.equal(it.intake.taken.length, 0);
    await it.system.stop();
  }
});

Deno.test("one account cannot take over the client id of another", async () => {
  const it = harness();
  await it.connected({ clientId: "x", username: "A" });
  await it.connected({ clientId: "x", username: "B" });
  assert.equal(it.ended.length, 0);
  assert.equal(it.stats.sessions, 2);
  await it.connected({ clientId: "x", username: "B" });
  assert.deepEqual(it.ended.map(({ end }) => end), ["taken_over"]);
  // The key that one account's names could make is not another's.
  await it.connected({ clientId: "A\u0001x", username: "" });
  assert.equal(it.stats.sessions, 3);
  await it.system.stop();
});

Deno.test("the end of a token ends its session with 0xA0", async () => {
  let expiresMs = 0;
  const it = harness({
    authenticate: () => ({ kind: "granted", account: "A", accountVersion: 1, expiresMs }),
  });
  expiresMs = it.clock.now() + 5_000;
  const connection = await it.connected({ version: 5 });
  await it.sweepAfter(4_999);
  assert.equal(it.ended.length, 0);
  await it.sweepAfter(1);
  assert.equal(it.ended[0]?.end, "token_expired");
  const [bye] = connection.sent(5);
  assert.ok(bye?.kind === "disconnect");
  assert.equal(bye.reasonCode, reasonCodes.maximumConnectTime);
  await it.system.stop();
});

Deno.test("a changed account ends its sessions with 0x98, and no others, without a will", async () => {
  let outdated = "";
  const it = harness({ isCurrent: ({ account }) => account !== outdated });
  const will = {
    topic: "own/A",
    payload: new Uint8Array(1),
    qos: 1,
    retain: false,
    properties: noProperties,
  } as const;
  const connection = await it.connected({ version: 5, username: "A", will });
  await it.connected({ version: 5, username: "B", clientId: "b" });
  outdated = "A";
  for (const session of it.shared.registry.values()) session.accountChanged();
  await settle();
  assert.deepEqual(it.ended.map(({ end }) => end), ["account_changed"]);
  const [bye] = connection.sent(5);
  assert.ok(bye?.kind === "disconnect");
  assert.equal(bye.reasonCode, reasonCodes.administrativeAction);
  assert.equal(it.intake.taken.length, 0);
  await it.system.stop();
});

Deno.test("an account that changes while it is being asked is not let in", async () => {
  const asked = Promise.withResolvers<void>();
  let outdated = false;
  const it = harness({
    isCurrent: () => !outdated,
    authenticate: async () => {
      await asked.promise;
      return { kind: "granted", account: "A", accountVersion: 1 };
    },
  });
  const { connection } = it.open();
  connection.feed(encodePacket(connectOf({ version: 5, username: "A" }), 5));
  await settle();
  outdated = true;
  asked.resolve();
  await settle();
  const [connack] = connection.sent(5);
  assert.ok(connack?.kind === "connack");
  assert.equal(connack.reasonCode, reasonCodes.notAuthorized);
  assert.equal(it.stats.sessions, 0);
  await it.system.stop();
});

Deno.test("a retained message over its account's quota: 0x97 at QoS 1 and 2, else delivered and not refused", async () => {
  const it = harness();
  it.exchange.retained.full.add("A");
  const retained = (qos: 0 | 1 | 2, packetId: number, payload = "{}") =>
    ({
      kind: "publish",
      topic: "own/A",
      qos,
      dup: false,
      retain: true,
      packetId,
      properties: noProperties,
      payload: new TextEncoder().encode(payload),
    }) as const satisfies Publish;
  const connection = await it.connected({ version: 5, username: "A" });
  for (const [qos, id] of [[1, 1], [2, 2], [0, 0]] as const) {
    connection.feed(encodePacket(retained(qos, id), 5));
  }
  connection.feed(encodePacket(retained(1, 3, ""), 5));
  await settle();
  assert.deepEqual(it.intake.denied.map(({ reason }) => reason), Array(2).fill("retained_quota"));
  assert.equal(it.intake.taken.length, 2, "QoS 0, and what clears");
  it.intake.settle([1]);
  await settle();
  const answers = connection.sentWithReasons(5).map((packet) =>
    "packetId" in packet && "reasonCode" in packet ? [packet.kind, packet.reasonCode] : []
  );
  assert.deepEqual(answers, [["puback", 0x97], ["pubrec", 0x97], ["puback", 0]]);

  const older = await it.connected({ version: 4, username: "A", clientId: "older" });
  older.feed(encodePacket(retained(1, 1), 4));
  await settle();
  it.intake.settle([2]);
  await settle();
  assert.deepEqual(older.sent(4).map(({ kind }) => kind), ["puback"]);
  await it.system.stop();
});
