import assert from "node:assert/strict";
import { concatBytes } from "../../../actors/concat_bytes.ts";
import { encodePacket, type Packet } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { Authentication } from "./endpoint_options.ts";
import {
  connectOf,
  type MemoryConnection,
  publishOf,
  SessionHarness,
  settle,
  testLimits,
} from "./testing.ts";

const none = { properties: noProperties };
const puback = (packetId: number, reasonCode = 0): Packet => ({
  kind: "puback",
  packetId,
  reasonCode,
  ...none,
});

async function send(
  connection: MemoryConnection,
  version: ProtocolVersion,
  ...packets: readonly Packet[]
): Promise<Packet[]> {
  connection.feed(...packets.map((packet) => encodePacket(packet, version)));
  await settle();
  return connection.sent(version);
}

const ids = (...packetIds: number[]): Packet[] =>
  packetIds.map((id) => publishOf({ packetId: id }));

// Shows 5: 3.1.4-5, 3.2.0-1, 3.2.2-1, 3.2.2-2, 3.1.3-6, 3.1.3-7, 3.2.2-16, 3.1.2-28, 4.12.0-6;
// 3.1.1: 3.1.4-4, 3.2.0-1, 3.2.2-1, 3.2.2-3.
Deno.test("CONNECT of each version is welcomed in its own words", async () => {
  const harness = new SessionHarness();
  const connack = { kind: "connack", sessionPresent: false, reasonCode: 0 };
  for (const version of [3, 4] as const) {
    const { connection } = harness.open();
    const answer = await send(connection, version, connectOf({ version, clientId: `c${version}` }));
    assert.deepEqual(answer, [{ ...connack, ...none }]);
  }
  const { connection } = harness.open();
  const answer = await send(
    connection,
    5,
    connectOf({
      version: 5,
      clientId: "",
      keepAliveS: 0,
      properties: { sessionExpiryIntervalS: 100 },
    }),
  );
  assert.deepEqual(answer, [{
    ...connack,
    properties: {
      sessionExpiryIntervalS: 0,
      receiveMaximum: 4,
      maximumPacketSize: 100_000,
      assignedClientIdentifier: "assigned-3",
      topicAliasMaximum: 16,
      serverKeepAliveS: 3_600,
    },
  }]);
  assert.equal(harness.stats.sessions, 3);
});

// Shows 5: 3.1.3-8, 3.2.2-6, 3.2.2-7, 3.2.2-8, 4.12.0-1, 4.13.2-1, 3.1.4-2; 3.1.1: 3.1.3-8,
// 3.1.3-9, 3.2.2-4, 3.2.2-5.
Deno.test("CONNECT that breaks a rule is refused with a code, then the connection ends", async () => {
  const cases: readonly [Parameters<typeof connectOf>[0], number][] = [
    [{ version: 4, clientId: "", clean: false }, 2],
    [{ version: 3, clientId: "" }, 2],
    [{ version: 4, clientId: "x".repeat(257) }, 2],
    [
      { version: 5, properties: { authenticationMethod: "m" } },
      reasonCodes.badAuthenticationMethod,
    ],
    [
      {
        version: 5,
        will: { topic: "a/#", payload: new Uint8Array(), qos: 0, retain: false, ...none },
      },
      reasonCodes.topicNameInvalid,
    ],
    [
      {
        version: 5,
        will: { topic: "a", payload: new Uint8Array(9_000), qos: 0, retain: false, ...none },
      },
      reasonCodes.quotaExceeded,
    ],
  ];
  for (const [connect, code] of cases) {
    const harness = new SessionHarness();
    const { connection } = harness.open();
    const [answer] = await send(connection, connect.version ?? 4, connectOf(connect));
    assert.equal(answer?.kind === "connack" && answer.reasonCode, code);
    assert.equal(harness.ended[0]?.end, "refused");
    assert.equal(connection.halfClosed, true);
    connection.end();
    await settle();
    assert.equal(connection.closed, true);
    assert.equal(harness.stats.sessions, 0);
  }
});

Deno.test("authentication may take its time, and nothing is taken before it is through", async () => {
  const answer = Promise.withResolvers<Authentication>();
  const harness = new SessionHarness({ authenticate: () => answer.promise });
  const { connection } = harness.open();
  const connect = connectOf({ username: "u", password: new Uint8Array([1]) });
  assert.deepEqual(await send(connection, 4, connect, publishOf({})), []);
  assert.equal(harness.intake.taken.length, 0);
  answer.resolve({ kind: "granted", account: "u" });
  await settle();
  assert.equal(connection.sent(4)[0]?.kind, "connack");
  assert.equal(harness.intake.taken.length, 1);
});

Deno.test("authentication that comes while the next read is under way", async () => {
  const answer = Promise.withResolvers<Authentication>();
  const harness = new SessionHarness({ authenticate: () => answer.promise });
  const { connection } = harness.open();
  assert.deepEqual(await send(connection, 4, connectOf({})), []);
  assert.equal(connection.reading, true);
  answer.resolve({ kind: "granted", account: "" });
  await settle();
  assert.deepEqual((await send(connection, 4, { kind: "pingreq" })).map(({ kind }) => kind), [
    "connack",
    "pingresp",
  ]);
});

// Shows 5: 3.1.4-2, 3.1.4-6; 3.1.1: 3.1.4-5.
Deno.test("a denied client, and one whose authentication broke, are told so", async () => {
  const denied: Authentication = {
    kind: "denied",
    reasonCode: reasonCodes.badUserNameOrPassword,
  };
  for (
    const [authenticate, version, code] of [
      [() => denied, 5, 0x86],
      [() => Promise.resolve(denied), 4, 4],
      [() => Promise.reject(new Error("no database")), 4, 3],
      [() => Promise.reject(new Error("no database")), 5, 0x88],
    ] as const
  ) {
    const harness = new SessionHarness({ authenticate });
    const { connection } = harness.open();
    const [answer] = await send(connection, version, connectOf({ version }), publishOf({}));
    assert.equal(answer?.kind === "connack" && answer.reasonCode, code);
    assert.equal(harness.intake.taken.length, 0);
  }
});

// Shows 5: 4.3.2-4, 2.2.1-5, 3.3.4-1; 3.1.1: 2.3.1-6, 3.3.4-1.
Deno.test("QoS 1 is acknowledged when settled, in the order it came", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  assert.deepEqual(await send(connection, 4, ...ids(10, 11, 12)), []);
  assert.equal(harness.intake.flushes > 0, true);
  harness.intake.settle([2, 1]);
  await settle();
  assert.deepEqual(connection.sent(4), []);
  const writes = connection.writes;
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(connection.sent(4), [puback(10), puback(11), puback(12)]);
  assert.equal(connection.writes, writes + 1);
});

Deno.test("what is offered says topic, payload, QoS, DUP and packet id", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  const payload = new TextEncoder().encode("é");
  await send(
    connection,
    4,
    publishOf({ topic: "a/b", payload, qos: 0, retain: true }),
    publishOf({ packetId: 9, dup: true }),
  );
  const [first, second] = harness.intake.taken;
  assert.deepEqual(
    [first?.topic, first?.payload, first?.flags, first?.packetId],
    ["a/b", "é", 0b1000, 0],
  );
  assert.deepEqual([second?.flags, second?.packetId], [0b101, 9]);
  assert.notEqual(first?.origin.originHash, 0);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(connection.sent(4), []);
});

// Shows 5: 4.3.3-8, 4.3.3-10, 4.3.3-11, 4.3.3-12; 3.1.1: 4.3.3-2.
Deno.test("QoS 2: PUBREC when settled, PUBCOMP for PUBREL, and nothing taken twice", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  const pubrec: Packet = { kind: "pubrec", packetId: 5, reasonCode: 0, ...none };
  const pubrel: Packet = { kind: "pubrel", packetId: 5, reasonCode: 0, ...none };
  const pubcomp: Packet = { kind: "pubcomp", packetId: 5, reasonCode: 0, ...none };
  const publish = publishOf({ qos: 2, packetId: 5 });
  assert.deepEqual(await send(connection, 4, publish), []);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(connection.sent(4), [pubrec]);
  assert.deepEqual(await send(connection, 4, { ...publish, dup: true }), [pubrec]);
  assert.equal(harness.intake.taken.length, 1);
  assert.deepEqual(await send(connection, 4, pubrel), [pubcomp]);
  await send(connection, 4, publish);
  assert.equal(harness.intake.taken.length, 2);
});

Deno.test("more QoS 2 messages than the window holds, their PUBRELs behind them", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  const many = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const packets: Packet[] = [
    ...many.map((packetId) => publishOf({ qos: 2, packetId })),
    ...many.map((packetId): Packet => ({ kind: "pubrel", packetId, reasonCode: 0, ...none })),
  ];
  await send(connection, 4, ...packets);
  for (let settled = 0; settled < many.length;) {
    const places = [...harness.intake.taken.keys()].slice(settled);
    harness.intake.settle(places);
    settled += places.length;
    await settle();
  }
  const kinds = connection.sent(4).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "pubrec").length, 9);
  assert.equal(kinds.filter((kind) => kind === "pubcomp").length, 9);
});

Deno.test("a packet there is no memory for waits until there is some", async () => {
  const harness = new SessionHarness({ limits: { ...testLimits, readBytesMax: 60_000 } });
  const other = harness.shared.budget;
  assert.equal(other.take(55_000), true);
  const connection = await harness.connected();
  const payload = new Uint8Array(20_000).fill(0x20);
  await send(connection, 4, publishOf({ payload }));
  assert.equal(connection.reading, false);
  other.give(55_000);
  await harness.sweepAfter(1_000);
  assert.equal(harness.intake.taken[0]?.payload.length, 20_000);
});

Deno.test("a CONNECT there is no memory for is read when there is some", async () => {
  const harness = new SessionHarness();
  const { budget } = harness.shared;
  assert.equal(budget.take(budget.bytesMax), true);
  const { connection } = harness.open();
  const connect = connectOf({ username: "token", password: new Uint8Array(2_000) });
  connection.feed(encodePacket(connect, connect.version));
  await settle();
  await harness.sweepAfter(1_000);
  assert.equal(connection.sent(4).length, 0);
  budget.give(budget.bytesMax);
  await harness.sweepAfter(1_000);
  assert.equal(connection.sent(4)[0]?.kind, "connack");
});

// Shows 5: 3.7.2-1.
Deno.test("PUBREL for what is not known: PUBCOMP says so in MQTT 5", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  const pubrel: Packet = { kind: "pubrel", packetId: 7, reasonCode: 0, ...none };
  assert.deepEqual(await send(connection, 5, pubrel), [
    { kind: "pubcomp", packetId: 7, reasonCode: 0x92, ...none },
  ]);
});

// Shows 5: 3.4.2-1.
Deno.test("a rejected reading is acknowledged, in MQTT 5 with its reason", async () => {
  for (const [version, code] of [[4, 0], [5, 0x10]] as const) {
    const harness = new SessionHarness();
    const connection = await harness.connected({ version });
    harness.intake.refuse = { outcome: "refused", reason: "no_route" };
    assert.deepEqual(await send(connection, version, ...ids(1)), [puback(1, code)]);
  }
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  await send(connection, 5, ...ids(1));
  harness.intake.settle([0], { outcome: "dead_lettered", reason: "bad_json" });
  await settle();
  assert.deepEqual(connection.sent(5), [puback(1, reasonCodes.payloadFormatInvalid)]);
});

// Shows 5: 3.5.2-1, 4.3.3-9.
Deno.test("a refused QoS 2 message in MQTT 5 ends with its PUBREC", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  harness.intake.refuse = { outcome: "refused", reason: "bad_topic" };
  const publish = publishOf({ qos: 2, packetId: 3 });
  const pubrec = { kind: "pubrec", packetId: 3, reasonCode: 0x90, ...none };
  assert.deepEqual(await send(connection, 5, publish), [pubrec]);
  harness.intake.refuse = undefined;
  await send(connection, 5, publish);
  assert.equal(harness.intake.taken.length, 1);
});

Deno.test("of QoS 2 messages whose PUBREL does not come a session has so many, and no more", async () => {
  for (const version of [4, 5] as const) {
    const harness = new SessionHarness({ limits: { ...testLimits, qos2Max: 2 } });
    const connection = await harness.connected({ version });
    for (const packetId of [1, 2]) {
      await send(connection, version, publishOf({ qos: 2, packetId }));
      harness.intake.settle([packetId - 1]);
      await settle();
    }
    connection.sent(version);
    const [answer] = await send(connection, version, publishOf({ qos: 2, packetId: 3 }));
    assert.deepEqual(harness.intake.denied.map(({ reason }) => reason), ["qos2_quota"]);
    assert.equal(harness.intake.taken.length, 2);
    if (version === 4) {
      assert.deepEqual(harness.ended.map(({ end }) => end), ["protocol_error"]);
      continue;
    }
    assert.deepEqual(answer, {
      kind: "pubrec",
      packetId: 3,
      reasonCode: reasonCodes.quotaExceeded,
      ...none,
    });
    await send(connection, 5, { kind: "pubrel", packetId: 1, reasonCode: 0, ...none });
    await send(connection, 5, publishOf({ qos: 2, packetId: 3 }));
    assert.equal(harness.intake.taken.length, 3, "a place is free again");
  }
});

Deno.test("without credit nothing is read, and nothing is lost when it is back", async () => {
  const harness = new SessionHarness({ limits: { ...testLimits, receiveMaximum: 100 } });
  const connection = await harness.connected();
  harness.intake.credit = 1;
  await send(connection, 4, ...ids(1, 2, 3));
  assert.equal(harness.intake.taken.length, 1);
  assert.equal(connection.reading, false);
  assert.equal(harness.intake.waiting, 1);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(connection.sent(4), [puback(1)]);
  harness.intake.grant(10);
  await settle();
  assert.deepEqual(harness.intake.taken.map((reading) => reading.packetId), [1, 2, 3]);
  assert.equal(connection.reading, true);
  assert.equal(harness.stats.pauses > 0, true);
});

// Shows 5: 3.3.4-7.
Deno.test("a full window: MQTT 3.1.1 is not read, MQTT 5 is told that it broke the rule", async () => {
  const older = new SessionHarness();
  const connection = await older.connected();
  await send(connection, 4, ...ids(1, 2, 3, 4, 5, 6));
  assert.equal(older.intake.taken.length, 4);
  assert.equal(connection.reading, false);
  older.intake.settle([0, 1]);
  await settle();
  assert.equal(older.intake.taken.length, 6);
  assert.equal(connection.reading, true);

  const newer = new SessionHarness();
  const five = await newer.connected({ version: 5 });
  const answer = await send(five, 5, ...ids(1, 2, 3, 4, 5));
  assert.deepEqual(answer, [
    { kind: "disconnect", reasonCode: reasonCodes.receiveMaximumExceeded, ...none },
  ]);
  assert.equal(newer.ended[0]?.end, "protocol_error");
});

Deno.test("a window full of what is settled at once does not hold the connection", async () => {
  for (const qos of [1, 2] as const) {
    const harness = new SessionHarness();
    const connection = await harness.connected();
    harness.intake.refuse = { outcome: "refused", reason: "no_route" };
    const packets = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((packetId) => publishOf({ packetId, qos }));
    const bytes = packets.flatMap((packet) => [...encodePacket(packet, 4)]);
    connection.feed(Uint8Array.from(bytes));
    await settle();
    assert.equal(connection.sent(4).length, 9);
    assert.equal(connection.reading, true);
  }
});

Deno.test("topic aliases", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  const properties = { topicAlias: 2 };
  await send(connection, 5, publishOf({ qos: 0, topic: "a/b", properties }));
  await send(connection, 5, publishOf({ qos: 0, topic: "", properties }));
  assert.deepEqual(
    harness.intake.taken.map(({ topic, payload }) => [topic, payload]),
    [["a/b", "{}"], ["a/b", "{}"]],
  );
  const answer = await send(
    connection,
    5,
    publishOf({ qos: 0, topic: "", properties: { topicAlias: 3 } }),
  );
  assert.deepEqual(answer, [
    { kind: "disconnect", reasonCode: reasonCodes.protocolError, ...none },
  ]);
});

// Shows 5: 3.12.4-1, 3.8.4-1, 3.8.4-2, 3.8.4-6, 3.8.4-7, 3.9.3-1, 3.9.3-2, 3.10.4-4, 3.10.4-5,
// 3.11.3-1, 3.11.3-2, 2.2.1-6, 4.7.1-1; 3.1.1: 3.12.4-1, 3.8.4-1, 3.8.4-2, 3.8.4-5, 3.9.3-1,
// 3.9.3-2, 3.10.4-4, 3.10.4-5, 2.3.1-7, 4.7.1-2.
Deno.test("PINGREQ, SUBSCRIBE and UNSUBSCRIBE are answered as each version says it", async () => {
  const subscription = {
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  } as const;
  const subscribe: Packet = {
    kind: "subscribe",
    packetId: 1,
    subscriptions: [{ filter: "a", ...subscription }, { filter: "a#", ...subscription }],
    ...none,
  };
  const unsubscribe: Packet = { kind: "unsubscribe", packetId: 2, filters: ["a", "b"], ...none };
  for (
    const [version, codes, gone] of [[4, [0, 0x80], []], [5, [0, 0x8f], [0, 0x11]]] as const
  ) {
    const harness = new SessionHarness();
    const connection = await harness.connected({ version });
    const answer = await send(connection, version, { kind: "pingreq" }, subscribe, unsubscribe);
    assert.deepEqual(answer, [
      { kind: "pingresp" },
      { kind: "suback", packetId: 1, reasonCodes: codes, ...none },
      { kind: "unsuback", packetId: 2, reasonCodes: gone, ...none },
    ]);
  }
});

// Shows 5: 4.13.1-1; 3.1.1: 4.8.0-1.
Deno.test("a protocol error ends this connection and no other", async () => {
  const harness = new SessionHarness();
  const good = await harness.connected({ clientId: "good" });
  const bad = await harness.connected({ version: 5, clientId: "bad" });
  bad.feed(Uint8Array.of(0x36, 0));
  await settle();
  assert.deepEqual(bad.sent(5), [{ kind: "disconnect", reasonCode: 0x81, ...none }]);
  assert.equal(harness.ended[0]?.clientId, "bad");
  assert.equal(good.closed, false);
  assert.deepEqual(await send(good, 4, { kind: "pingreq" }), [{ kind: "pingresp" }]);
});

// Shows 5: 3.1.0-1, 3.1.2-2, 3.14.0-1; 3.1.1: 3.1.0-1, 3.1.2-2.
Deno.test("what is no MQTT is closed without a word; an unknown version is told", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  connection.feed(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await settle();
  assert.equal(connection.closed, true);
  assert.deepEqual(connection.sent(4), []);

  const { connection: future } = harness.open();
  future.feed(Uint8Array.fromHex("100d00044d5154540602003c000161"));
  await settle();
  assert.deepEqual(future.sent(4), [
    { kind: "connack", sessionPresent: false, reasonCode: 1, ...none },
  ]);
});

Deno.test("an oversized packet ends the connection before it is read", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  connection.feed(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
  await settle();
  assert.deepEqual(connection.sent(5), [
    { kind: "disconnect", reasonCode: reasonCodes.packetTooLarge, ...none },
  ]);
});

// Shows 3.1.1: 4.8.0-2.
Deno.test("a crash in a session closes it, gives its memory back and is counted", async () => {
  const harness = new SessionHarness();
  harness.exchange.pubsub.subscribe = () => {
    throw new TypeError("a bug");
  };
  const connection = await harness.connected();
  await send(connection, 4, {
    kind: "subscribe",
    packetId: 1,
    subscriptions: [
      { filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    ],
    ...none,
  });
  assert.equal(connection.closed, true);
  assert.deepEqual(harness.ended, [{ clientId: "dev", end: "crashed", detail: "a bug" }]);
  assert.equal(harness.shared.registry.size, 0);
  assert.equal(harness.stats.ends("crashed"), 1);
});

// Shows 5: 3.1.4-3, 3.1.3-2; 3.1.1: 3.1.4-2, 3.1.3-2.
Deno.test("the same client id again takes over", async () => {
  const harness = new SessionHarness();
  const first = await harness.connected({ version: 5 });
  const second = await harness.connected({ version: 5 });
  assert.deepEqual(first.sent(5), [
    { kind: "disconnect", reasonCode: reasonCodes.sessionTakenOver, ...none },
  ]);
  assert.equal(harness.ended[0]?.end, "taken_over");
  assert.deepEqual(await send(second, 5, { kind: "pingreq" }), [{ kind: "pingresp" }]);
  assert.equal(harness.shared.registry.connected, 1);
  harness.shared.registry.takeOver("dev", 1);
  await settle();
  assert.equal(harness.shared.registry.connected, 0);
});

Deno.test("a client that never says CONNECT is closed in time", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  await settle();
  await harness.sweepAfter(9_000);
  assert.equal(connection.closed, false);
  await harness.sweepAfter(2_000);
  assert.equal(connection.closed, true);
  assert.equal(harness.ended[0]?.end, "connect_timeout");
});

// Shows 5: 3.1.2-22, 3.2.2-22; 3.1.1: 3.1.2-24.
Deno.test("a silent client is given up after 1.5 times its keep-alive", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5, keepAliveS: 10 });
  await harness.sweepAfter(14_000);
  await send(connection, 5, { kind: "pingreq" });
  await harness.sweepAfter(14_000);
  assert.equal(harness.ended.length, 0);
  await harness.sweepAfter(1_500);
  assert.equal(harness.ended[0]?.end, "keep_alive_timeout");
  assert.deepEqual(connection.sent(5), [
    { kind: "disconnect", reasonCode: reasonCodes.keepAliveTimeout, ...none },
  ]);
});

Deno.test("a packet that trickles in does not keep its connection alive", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5, keepAliveS: 10 });
  const bytes = encodePacket(publishOf({ payload: new Uint8Array(3_000) }), 5);
  // A slow sender of something large is alive.
  connection.feed(bytes.subarray(0, 1_500));
  await settle();
  await harness.sweepAfter(14_000);
  connection.feed(bytes.subarray(1_500, 2_600));
  await settle();
  await harness.sweepAfter(14_000);
  assert.equal(harness.ended.length, 0);
  connection.feed(bytes.subarray(2_600, 2_601));
  await settle();
  await harness.sweepAfter(1_500);
  assert.equal(harness.ended[0]?.end, "keep_alive_timeout");
});

Deno.test("a client that Sluice itself does not read from is not called silent", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ keepAliveS: 10 });
  harness.intake.credit = 0;
  await send(connection, 4, ...ids(1));
  await harness.sweepAfter(60_000);
  assert.equal(harness.ended.length, 0);
  harness.intake.grant(1);
  await settle();
  await harness.sweepAfter(10_000);
  assert.equal(harness.ended.length, 0);
});

Deno.test("a client that takes nothing is closed", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ keepAliveS: 0 });
  connection.blockWrites();
  await send(connection, 4, { kind: "pingreq" });
  await harness.sweepAfter(1_000);
  await harness.sweepAfter(29_000);
  assert.equal(harness.ended.length, 0);
  await harness.sweepAfter(2_000);
  assert.equal(harness.ended[0]?.end, "write_stalled");
  assert.equal(connection.closed, true);
  connection.unblockWrites();
  await settle();
});

Deno.test("acknowledgements that nobody takes stop the reading", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  connection.blockWrites();
  const pings = new Uint8Array(70_000).map((_, i) => i % 2 === 0 ? 0xc0 : 0);
  connection.feed(pings);
  await settle();
  assert.equal(connection.reading, false);
  connection.unblockWrites();
  for (let i = 0; i < 20; i++) await settle();
  assert.equal(connection.reading, true);
  assert.equal(connection.sent(4).length, 35_000);
});

Deno.test("when too much waits for all clients, those who take nothing are not read from", async () => {
  const harness = new SessionHarness({ limits: { ...testLimits, readBytesMax: 1_000 } });
  const pings = (count: number) =>
    new Uint8Array(Array.from({ length: 2 * count }, (_, i) => i % 2 === 0 ? 0xc0 : 0));
  const lazy = await harness.connected({ clientId: "lazy" });
  const slow = await harness.connected({ clientId: "slow" });
  const good = await harness.connected({ clientId: "good" });
  lazy.blockWrites();
  slow.blockWrites();
  slow.feed(pings(1));
  for (let i = 0; i < 10; i++) lazy.feed(pings(200));
  await settle();
  slow.feed(pings(1));
  good.feed(pings(1));
  await settle();
  assert.deepEqual([lazy, slow, good].map(({ reading }) => reading), [false, false, true]);
  lazy.unblockWrites();
  slow.unblockWrites();
  await settle();
  await settle();
  assert.deepEqual([lazy, slow, good].map(({ reading }) => reading), [true, true, true]);
  assert.equal(harness.shared.writers.waitingBytes, 0);
});

// Shows 5: 3.1.2-7, 3.1.2-8, 3.1.2-10, 3.14.4-3; 3.1.1: 3.1.2-8, 3.1.2-10, 3.14.4-3.
Deno.test("the will is a reading of a client that went away, not of one that said goodbye", async () => {
  const will = {
    topic: "device/1",
    payload: new TextEncoder().encode("gone"),
    qos: 1,
    retain: false,
    ...none,
  } as const;
  const cases: readonly [(connection: MemoryConnection) => void, boolean][] = [
    [(connection) => connection.end(), true],
    [(connection) => connection.feed(Uint8Array.of(0xff)), true],
    [(connection) => connection.feed(Uint8Array.of(0xe0, 0)), false],
    [(connection) => connection.feed(Uint8Array.of(0xe0, 1, 4)), true],
  ];
  for (const [leave, published] of cases) {
    const harness = new SessionHarness();
    const connection = await harness.connected({ version: 5, will });
    leave(connection);
    await settle();
    assert.deepEqual(
      harness.intake.taken.map(({ topic, payload }) => [topic, payload]),
      published ? [["device/1", "gone"]] : [],
    );
  }
});

Deno.test("who says all at once, DISCONNECT too, gets its answers before the connection ends", async () => {
  for (const version of [4, 5] as const) {
    const harness = new SessionHarness();
    const { connection } = harness.open();
    const said: Packet[] = [
      connectOf({ version }),
      { kind: "pingreq" },
      { kind: "disconnect", reasonCode: 0, ...none },
    ];
    connection.feed(concatBytes(said.map((packet) => encodePacket(packet, version))));
    await settle();
    const answers = connection.sent(version);
    assert.deepEqual(answers.map(({ kind }) => kind), ["connack", "pingresp"]);
    assert.equal(harness.ended[0]?.end, "disconnected");
    assert.equal(connection.halfClosed, true);
    connection.end();
    await settle();
    assert.equal(connection.closed, true);
  }
});

Deno.test("bytes after DISCONNECT are not looked at", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  const goodbye: Packet = { kind: "disconnect", reasonCode: 0, ...none };
  connection.feed(
    Uint8Array.from([...encodePacket(goodbye, 4), ...encodePacket(publishOf({}), 4)]),
  );
  await settle();
  assert.equal(harness.intake.taken.length, 0);
  assert.equal(connection.closed, true);
  assert.equal(harness.ended[0]?.end, "disconnected");
});

Deno.test("draining acknowledges what is in flight, reads no more, and says so", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected({ version: 5 });
  await send(connection, 5, ...ids(1, 2));
  for (const session of harness.shared.registry.values()) session.drain();
  await settle();
  assert.deepEqual(await send(connection, 5, ...ids(3)), []);
  assert.equal(harness.intake.taken.length, 2);
  harness.intake.settle([0, 1]);
  await settle();
  assert.deepEqual(connection.sent(5), [
    puback(1),
    puback(2),
    { kind: "disconnect", reasonCode: reasonCodes.serverShuttingDown, ...none },
  ]);
  assert.equal(connection.halfClosed, true);
  connection.end();
  await settle();
  assert.equal(connection.closed, true);
  assert.equal(harness.closedLinks, 1);
});

Deno.test("draining ends in time though a reading is never settled and the client stays", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  await send(connection, 4, ...ids(1));
  for (const session of harness.shared.registry.values()) session.drain();
  await settle();
  await harness.sweepAfter(5_001);
  assert.equal(harness.ended[0]?.end, "drain_timeout");
  assert.equal(connection.closed, false);
  await harness.sweepAfter(5_001);
  assert.equal(connection.closed, true);
});

Deno.test("a connection that closes leaves nothing behind, whatever settles later", async () => {
  const harness = new SessionHarness();
  const connection = await harness.connected();
  await send(connection, 4, ...ids(1, 2));
  connection.end();
  await settle();
  await harness.sweepAfter(5_001);
  assert.equal(connection.closed, true);
  harness.intake.settle([0, 1]);
  await settle();
  assert.equal(harness.shared.registry.size, 0);
  assert.equal(harness.shared.budget.usedBytes, 0);
  assert.equal(harness.intake.forgotten.size, 1);
  assert.deepEqual(harness.ended.map(({ end }) => end), ["closed"]);
});
