/** A session as a subscriber: the packets that go both ways. */
import assert from "node:assert/strict";
import type { Connect } from "../codec/connect.ts";
import { encodePacket, type Packet } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { Authenticate } from "./endpoint_options.ts";
import { type MemoryConnection, publishOf, SessionHarness, settle } from "./testing.ts";

const properties = noProperties;

function subscribe(filter: string, qos: Qos): Packet {
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return {
    kind: "subscribe",
    packetId: 1,
    subscriptions: [{ filter, qos, ...options }],
    properties,
  };
}

async function send(connection: MemoryConnection, ...packets: readonly Packet[]) {
  connection.feed(...packets.map((packet) => encodePacket(packet, 5)));
  await settle();
  return connection.sent(5);
}

const connect = (harness: SessionHarness, clientId: string, more: Partial<Connect> = {}) =>
  harness.connected({ version: 5, clientId, ...more });

Deno.test("a message with QoS 2, from PUBLISH to PUBCOMP", async () => {
  const harness = new SessionHarness();
  const listener = await connect(harness, "listener");
  const publisher = await connect(harness, "publisher");
  await send(listener, subscribe("device/+", 2));
  await send(publisher, publishOf({ qos: 2, packetId: 9 }));
  const publish = publishOf({ qos: 2, packetId: 1 });
  assert.deepEqual(listener.sent(5), [publish]);
  const pubrec: Packet = { kind: "pubrec", packetId: 1, reasonCode: 0, properties };
  assert.deepEqual(await send(listener, pubrec), [
    { kind: "pubrel", packetId: 1, reasonCode: 0, properties },
  ]);
  assert.deepEqual(
    await send(
      listener,
      { kind: "pubcomp", packetId: 1, reasonCode: 0, properties },
      { ...pubrec, packetId: 5 },
    ),
    [{
      kind: "pubrel",
      packetId: 5,
      reasonCode: reasonCodes.packetIdentifierNotFound,
      properties,
    }],
  );
  const { stats, exchange: { pubsub } } = harness;
  // CONNECT twice, SUBSCRIBE, PUBLISH, PUBREC twice, PUBCOMP; CONNACK twice and SUBACK.
  assert.deepEqual([stats.packetsReceived, stats.packetsSent], [7, 3]);
  assert.deepEqual([pubsub.stats.delivered, pubsub.stats.released], [1, 2]);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(publisher.sent(5).map(({ kind }) => kind), ["pubrec"]);
  assert.equal(stats.packetsSent, 4);
});

Deno.test("the message goes out before its reading is settled, and not when there is no credit", async () => {
  const harness = new SessionHarness();
  const listener = await connect(harness, "listener");
  const publisher = await connect(harness, "publisher");
  await send(listener, subscribe("#", 0));
  harness.intake.credit = 0;
  assert.deepEqual(await send(publisher, publishOf({})), []);
  assert.deepEqual(listener.sent(5), []);
  harness.intake.grant(1);
  await settle();
  assert.equal(listener.sent(5).length, 1);
  assert.deepEqual(publisher.sent(5), []);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(publisher.sent(5).map(({ kind }) => kind), ["puback"]);
  assert.deepEqual(listener.sent(5), []);
});

Deno.test("an acknowledgement for nothing ends a connection that never subscribed", async () => {
  const harness = new SessionHarness();
  const connection = await connect(harness, "dev");
  const puback: Packet = { kind: "puback", packetId: 1, reasonCode: 0, properties };
  assert.deepEqual(await send(connection, puback), [
    { kind: "disconnect", reasonCode: reasonCodes.protocolError, properties },
  ]);
});

Deno.test("a subscription identifier, or a wildcard to answer to, may not come from a client", async () => {
  for (const wrong of [{ subscriptionIdentifiers: [1] }, { responseTopic: "a/+" }]) {
    const harness = new SessionHarness();
    const connection = await connect(harness, "dev");
    const [disconnect] = await send(connection, publishOf({ properties: wrong }));
    assert.equal(disconnect?.kind, "disconnect");
    assert.deepEqual(harness.intake.taken, []);
  }
});

Deno.test("what a client may not read it is not sent", async () => {
  const authenticate: Authenticate = () => ({
    kind: "granted",
    account: "A",
    permit: { publish: () => true, subscribe: (filter) => filter.startsWith("mine/") },
  });
  const harness = new SessionHarness({ authenticate });
  const connection = await connect(harness, "dev");
  const codes = async (filter: string) => {
    const [suback] = await send(connection, subscribe(filter, 1));
    return suback?.kind === "suback" ? suback.reasonCodes : suback;
  };
  assert.deepEqual(await codes("mine/#"), [1]);
  assert.deepEqual(await codes("$share/g/mine/#"), [1]);
  assert.deepEqual(await codes("other/#"), [reasonCodes.notAuthorized]);
  assert.deepEqual(await codes("$share/g/#"), [reasonCodes.notAuthorized]);
  await send(connection, publishOf({ topic: "other/x", qos: 0 }));
  assert.deepEqual(connection.sent(5), []);
});

Deno.test("a will goes to subscribers; with its session its subscriptions end", async () => {
  const harness = new SessionHarness();
  const listener = await connect(harness, "listener");
  const will = {
    topic: "gone",
    payload: Uint8Array.of(1),
    qos: 0,
    retain: false,
    properties: { contentType: "t" },
  } as const;
  const dying = await connect(harness, "dying", { will });
  await send(listener, subscribe("gone", 0));
  await send(dying, subscribe("#", 0));
  assert.equal(harness.exchange.pubsub.stats.subscriptions, 2);
  dying.end();
  await settle();
  assert.equal(harness.exchange.pubsub.stats.subscriptions, 1);
  const [publish] = listener.sent(5);
  assert.equal(publish?.kind === "publish" ? publish.topic : publish, "gone");
  assert.deepEqual(publish?.kind === "publish" && publish.properties, { contentType: "t" });
});

Deno.test("a subscriber whose socket is full gets the rest when it has room", async () => {
  const harness = new SessionHarness();
  const listener = await connect(harness, "listener");
  const publisher = await connect(harness, "publisher");
  await send(listener, subscribe("#", 1));
  listener.blockWrites();
  const payload = new Uint8Array(90);
  for (let i = 0; i < 9; i++) {
    await send(publisher, publishOf({ qos: 0, payload, topic: `t/${i}` }));
  }
  assert.deepEqual(listener.sent(5), []);
  listener.unblockWrites();
  await settle();
  const topics = listener.sent(5).map((packet) => packet.kind === "publish" ? packet.topic : "");
  assert.deepEqual(topics, Array.from({ length: 9 }, (_, i) => `t/${i}`));
});
