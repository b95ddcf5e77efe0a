/** Publishing, subscribing and what is delivered, packet by packet. */
import assert from "node:assert/strict";
import type { Properties } from "../codec/property_table.ts";
import type { Qos } from "../codec/publish.ts";
import { type MemoryConnection, publishOf, SessionHarness, settle } from "../endpoint/testing.ts";
import { acknowledgement, hasEnded, messagesIn, say, subscribeTo } from "./testing.ts";

const text = (payload: string): Uint8Array => new TextEncoder().encode(payload);
const read = ({ payload }: { readonly payload: Uint8Array }): string =>
  new TextDecoder().decode(payload);

interface Scene {
  readonly harness: SessionHarness;
  readonly listener: MemoryConnection;
  readonly publisher: MemoryConnection;
  /** Publishes with QoS 0 unless said otherwise. */
  publish(topic: string, payload: string, more?: Parameters<typeof publishOf>[0]): Promise<void>;
}

async function scene(version: 4 | 5, listening: Properties = {}): Promise<Scene> {
  const harness = new SessionHarness();
  const listener = await harness.connected({
    version,
    clientId: "listener",
    properties: version === 5 ? listening : {},
  });
  const publisher = await harness.connected({ version, clientId: "publisher" });
  return {
    harness,
    listener,
    publisher,
    async publish(topic, payload, more = {}) {
      await say(publisher, version, publishOf({ topic, payload: text(payload), qos: 0, ...more }));
    },
  };
}

async function bothVersions(run: (version: 4 | 5, scene: Scene) => Promise<void>): Promise<void> {
  for (const version of [4, 5] as const) await run(version, await scene(version));
}

// Shows 5: 3.3.1-5, 3.3.1-6, 3.3.1-7, 3.3.1-8, 3.3.1-9; 3.1.1: 3.3.1-5, 3.3.1-6, 3.3.1-7, 3.3.1-8,
// 3.3.1-9, 3.3.1-10, 3.3.1-11, 3.3.1-12.
Deno.test("a retained message replaces the one before, is found by new subscriptions, and removed by an empty one", () =>
  bothVersions(async (version, { harness, listener, publish }) => {
    const found = async (clientId: string) => {
      const late = await harness.connected({ version, clientId });
      const messages = messagesIn(await say(late, version, subscribeTo("r/+")));
      return messages.map((message) => [read(message), message.retain]);
    };
    await say(listener, version, subscribeTo("r/1"));
    await publish("r/1", "one", { retain: true });
    await publish("r/1", "two", { retain: true, qos: 1, packetId: 5 });
    await publish("r/1", "three", { retain: true });
    await publish("r/1", "not kept");
    const delivered = messagesIn(listener.sent(version));
    assert.deepEqual(
      delivered.map((message) => [read(message), message.retain]),
      [["one", false], ["two", false], ["three", false], ["not kept", false]],
    );
    assert.deepEqual(await found("late"), [["three", true]]);
    await publish("r/1", "", { retain: true });
    assert.equal(messagesIn(listener.sent(version)).length, 1);
    assert.deepEqual(await found("later"), []);
  }));

// Shows 5: 3.3.1-9, 3.3.1-10, 3.3.1-11, 3.8.4-3, 3.8.4-4; 3.1.1: 3.8.4-3.
Deno.test("retained messages are sent again as the subscription asks", async () => {
  const { listener, publish } = await scene(5);
  await publish("r", "kept", { retain: true });
  const counts: number[] = [];
  for (const retainHandling of [1, 1, 2, 0] as const) {
    const answer = await say(listener, 5, subscribeTo("r", 0, { retainHandling }));
    counts.push(messagesIn(answer).length);
  }
  assert.deepEqual(counts, [1, 0, 0, 1]);
  const old = await scene(4);
  await old.publish("r", "kept", { retain: true });
  for (const qos of [1, 0] as const) {
    assert.equal(messagesIn(await say(old.listener, 4, subscribeTo("r", qos))).length, 1);
  }
  await old.publish("r", "new", { qos: 1 });
  assert.deepEqual(messagesIn(old.listener.sent(4)).map(({ qos }) => qos), [0]);
});

// Shows 5: 3.3.2-4, 3.3.2-15, 3.3.2-16, 3.3.2-17, 3.3.2-18, 3.3.2-20.
Deno.test("what a publisher says of a message goes on unchanged and in order", async () => {
  const { listener, publish } = await scene(5);
  await say(listener, 5, subscribeTo("a"));
  const properties = {
    payloadFormatIndicator: true,
    contentType: "text/plain",
    responseTopic: "answers/1",
    correlationData: Uint8Array.of(0, 255),
    userProperties: [["k", "2"], ["a", ""], ["k", "1"]],
  } as const;
  await publish("a", "x", { properties });
  assert.deepEqual(messagesIn(listener.sent(5))[0]?.properties, properties);
});

// Shows 5: 3.3.1-3, 3.8.4-8, 4.3.1-1, 4.3.2-1, 4.3.2-2, 4.3.3-1, 4.3.3-2, 2.2.1-4, 3.3.2-3; 3.1.1:
// 2.3.1-4, 3.3.1-3, 3.3.2-3, 3.8.4-6, 4.3.1-1.
Deno.test("the lower QoS is delivered, DUP is not passed on, identifiers in use are not used again", () =>
  bothVersions(async (version, { listener, publish }) => {
    await say(listener, version, subscribeTo("t/+", 1));
    await say(listener, version, subscribeTo("u/+", 2));
    for (const qos of [0, 1, 2] as const) {
      const id = { packetId: qos === 0 ? 0 : 40 + qos, dup: qos > 0 };
      await publish(`t/${qos}`, "x", { qos, ...id });
    }
    await publish("u/2", "x", { qos: 2, packetId: 50, dup: true });
    const messages = messagesIn(listener.sent(version));
    assert.deepEqual(
      messages.map(({ topic, qos, dup }) => [topic, qos, dup]),
      [["t/0", 0, false], ["t/1", 1, false], ["t/2", 1, false], ["u/2", 2, false]],
    );
    const ids = messages.map(({ packetId }) => packetId);
    assert.equal(ids[0], 0);
    assert.equal(new Set(ids).size, 4);
  }));

// Shows 5: 4.3.2-3, 3.3.4-9, 3.3.4-10, 4.9.0-2, 4.9.0-3; 3.1.1: 4.3.2-1.
Deno.test("no more than the receive maximum is in flight, and other packets do not wait", async () => {
  const { listener, publish } = await scene(5, { receiveMaximum: 2 });
  await say(listener, 5, subscribeTo("a", 2));
  for (const [i, qos] of ([1, 2, 1, 0] as const).entries()) {
    await publish("a", `${i}`, { qos, packetId: qos === 0 ? 0 : i + 1 });
  }
  const first = messagesIn(listener.sent(5));
  assert.deepEqual(first.map(read), ["0", "1"]);
  assert.deepEqual(await say(listener, 5, { kind: "pingreq" }), [{ kind: "pingresp" }]);
  const [one, two] = first.map(({ packetId }) => packetId);
  // PUBREC alone makes no room; PUBACK does.
  const released = await say(listener, 5, acknowledgement("pubrec", two!));
  assert.deepEqual(released, [acknowledgement("pubrel", two!)]);
  const next = messagesIn(await say(listener, 5, acknowledgement("puback", one!)));
  assert.deepEqual(next.map(read), ["2", "3"]);
});

// Shows 5: 4.3.3-7, 4.3.3-13.
Deno.test("a QoS 2 message that was sent is completed though its time has passed", async () => {
  const { harness, listener, publish } = await scene(5);
  await say(listener, 5, subscribeTo("a", 2));
  await publish("a", "x", { qos: 2, packetId: 1, properties: { messageExpiryIntervalS: 1 } });
  const [message] = messagesIn(listener.sent(5));
  harness.clock.advance(10_000);
  const { packetId } = message!;
  assert.deepEqual(await say(listener, 5, acknowledgement("pubrec", packetId)), [
    acknowledgement("pubrel", packetId),
  ]);
  assert.deepEqual(await say(listener, 5, acknowledgement("pubcomp", packetId)), []);
});

// Shows 5: 4.3.2-5, 4.3.3-10, 4.3.3-12; 3.1.1: 4.3.2-2, 4.3.3-2.
Deno.test("an identifier is a new message's after PUBACK or PUBCOMP, and the same one's before", () =>
  bothVersions(async (version, { harness, listener, publisher }) => {
    const { intake } = harness;
    const settleAll = async () => {
      intake.settle([...intake.taken.keys()]);
      await settle();
      return publisher.sent(version).map(({ kind }) => kind);
    };
    await say(listener, version, subscribeTo("device/1"));
    const qos1 = publishOf({ qos: 1, packetId: 9, dup: true });
    for (let i = 0; i < 2; i++) {
      await say(publisher, version, qos1);
      assert.deepEqual(await settleAll(), ["puback"]);
    }
    assert.equal(messagesIn(listener.sent(version)).length, 2);
    intake.taken.length = 0;
    const qos2 = publishOf({ qos: 2, packetId: 9 });
    // Again before it is acknowledged, and again before PUBREL.
    await say(publisher, version, qos2, { ...qos2, dup: true });
    assert.deepEqual(await settleAll(), ["pubrec", "pubrec"]);
    const again = await say(publisher, version, { ...qos2, dup: true });
    assert.deepEqual(again.map(({ kind }) => kind), ["pubrec"]);
    const released = await say(publisher, version, acknowledgement("pubrel", 9));
    assert.deepEqual(released, [acknowledgement("pubcomp", 9)]);
    assert.equal(intake.taken.length, 1);
    assert.equal(messagesIn(listener.sent(version)).length, 1);
    await say(publisher, version, qos2);
    assert.equal(messagesIn(listener.sent(version)).length, 1);
  }));

// Shows 5: 3.8.4-5, 3.10.4-1, 3.10.4-2, 3.10.4-3, 3.10.4-5, 3.10.4-6, 4.7.1-2; 3.1.1: 3.8.4-4,
// 3.10.4-1, 3.10.4-2, 3.10.4-3, 3.10.4-5, 3.10.4-6, 4.7.1-3.
Deno.test("several filters in one packet; what is unsubscribed ends, what was being sent is completed", () =>
  bothVersions(async (version, { listener, publish }) => {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const filters = ["a/+", "b", "c/#", "d+", "a/1"];
    const [suback] = await say(listener, version, {
      kind: "subscribe",
      packetId: 3,
      subscriptions: filters.map((filter) => ({ filter, qos: 2 as const, ...options })),
      properties: {},
    });
    const refused = version === 5 ? 0x8f : 0x80;
    assert.deepEqual(suback?.kind === "suback" && suback.reasonCodes, [2, 2, 2, refused, 2]);
    await publish("a/2", "x", { qos: 2, packetId: 4 });
    const [message] = messagesIn(listener.sent(version));
    const [unsuback] = await say(listener, version, {
      kind: "unsubscribe",
      packetId: 4,
      filters: ["a/+", "a/2", "C/#", "b"],
      properties: {},
    });
    assert.equal(unsuback?.kind === "unsuback" && unsuback.packetId, 4);
    if (version === 5) {
      assert.deepEqual(unsuback?.kind === "unsuback" && unsuback.reasonCodes, [0, 0x11, 0x11, 0]);
    }
    for (const topic of ["a/2", "b", "c", "a/1"]) await publish(topic, "x");
    assert.deepEqual(messagesIn(listener.sent(version)).map(({ topic }) => topic), ["c", "a/1"]);
    const { packetId } = message!;
    assert.deepEqual(await say(listener, version, acknowledgement("pubrec", packetId)), [
      acknowledgement("pubrel", packetId),
    ]);
  }));

// Shows 5: 4.6.0-5, 4.6.0-6, 4.5.0-1; 3.1.1: 4.6.0-5, 4.6.0-6, 4.5.0-1.
Deno.test("messages of one publisher come in their order, to everybody who subscribed", () =>
  bothVersions(async (version, { harness, listener, publish }) => {
    const other = await harness.connected({ version, clientId: "other" });
    await say(listener, version, subscribeTo("#", 0));
    await say(other, version, subscribeTo("order/1", 0));
    const sent = Array.from({ length: 20 }, (_, i) => String(i));
    for (const payload of sent) await publish("order/1", payload);
    for (const connection of [listener, other]) {
      assert.deepEqual(messagesIn(connection.sent(version)).map(read), sent);
    }
  }));

// Shows 5: 4.7.2-1; 3.1.1: 4.7.2-1.
Deno.test("a wildcard at the start does not find topics that begin with $", () =>
  bothVersions(async (version, { listener, publish }) => {
    for (const filter of ["#", "+/x", "+"]) await say(listener, version, subscribeTo(filter));
    for (const topic of ["$own/x", "$own"]) await publish(topic, "no");
    assert.deepEqual(messagesIn(listener.sent(version)), []);
    await say(listener, version, subscribeTo("$own/#"));
    await publish("$own/x", "yes");
    assert.deepEqual(messagesIn(listener.sent(version)).map(read), ["yes"]);
  }));

// Shows 5: 4.8.2-1, 4.8.2-2, 4.8.2-3, 4.8.2-6.
Deno.test("shared subscriptions: their names, their QoS, and what a member refuses", async () => {
  const { harness, listener, publish } = await scene(5);
  const codes = async (filter: string, qos: Qos = 0) => {
    const [suback] = await say(listener, 5, subscribeTo(filter, qos));
    return suback?.kind === "suback" ? suback.reasonCodes[0] : undefined;
  };
  for (const wrong of ["$share//a", "$share/g", "$share/g/", "$share/+/a", "$share/g#/a"]) {
    assert.equal(await codes(wrong), 0x8f, wrong);
  }
  assert.equal(await codes("$share/g/a", 1), 1);
  const member = await harness.connected({ version: 5, clientId: "member" });
  await say(member, 5, subscribeTo("$share/g/a", 1));
  await publish("a", "x", { qos: 2, packetId: 8 });
  const taken = [listener, member].map((connection) => messagesIn(connection.sent(5)));
  assert.deepEqual(taken.flat().map(({ qos }) => qos), [1]);
  const chosen = taken[0]!.length === 1 ? listener : member;
  const { packetId } = taken.flat()[0]!;
  await say(chosen, 5, acknowledgement("puback", packetId, 0x80));
  await settle();
  assert.deepEqual([listener, member].flatMap((connection) => messagesIn(connection.sent(5))), []);
});

// Shows 5: 4.4.0-2.
Deno.test("what the client refuses with PUBACK or PUBREC is not sent again", async () => {
  const { listener, publish } = await scene(5);
  await say(listener, 5, subscribeTo("a", 2));
  await publish("a", "1", { qos: 1, packetId: 1 });
  await publish("a", "2", { qos: 2, packetId: 2 });
  const [one, two] = messagesIn(listener.sent(5)).map(({ packetId }) => packetId);
  assert.deepEqual(await say(listener, 5, acknowledgement("puback", one!, 0x97)), []);
  assert.deepEqual(await say(listener, 5, acknowledgement("pubrec", two!, 0x99)), []);
  // An acknowledgement of nothing changes nothing.
  assert.deepEqual(await say(listener, 5, acknowledgement("puback", 999)), []);
  assert.equal(hasEnded(listener), false);
});

// Shows 5: 3.3.2-7, 3.3.2-12.
Deno.test("every alias up to the maximum is taken, and none outlives its connection", async () => {
  const harness = new SessionHarness();
  const first = await harness.connected({ version: 5, clientId: "aliases" });
  for (let topicAlias = 1; topicAlias <= 16; topicAlias++) {
    await say(
      first,
      5,
      publishOf({ topic: `t/${topicAlias}`, qos: 0, properties: { topicAlias } }),
    );
  }
  assert.equal(harness.intake.taken.at(-1)?.topic, "t/16");
  const second = await harness.connected({ version: 5, clientId: "aliases" });
  const answer = await say(
    second,
    5,
    publishOf({ topic: "", qos: 0, properties: { topicAlias: 3 } }),
  );
  assert.equal(answer[0]?.kind === "disconnect" && answer[0].reasonCode, 0x82);
});
