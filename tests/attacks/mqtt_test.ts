/**
 * What a client that speaks good MQTT may still try: to fill what is bounded, to use identifiers up
 * or twice, to subscribe to everything, and names that mean something elsewhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../actors/concat_bytes.ts";
import { Bystanders, storedValues } from "../support/input.ts";
import {
  connectPacket,
  packet,
  publishPacket,
  RawClient,
  subscribePacket,
} from "../support/raw_mqtt.ts";
import { metrics, settledBooks, type Sluice, startSluice } from "../support/sluice.ts";

const mib = 1024 * 1024;
const [puback, suback, pubrec, pubcomp, disconnect] = [0x40, 0x90, 0x50, 0x70, 0xe0];
const receiveMaximumExceeded = 0x93;
const quotaExceeded = 0x97;
const packetIdentifierNotFound = 0x92;

/** A reading of QoS 1 or 2 whose value is its number. */
const reading = (version: 4 | 5, topic: string, number: number, packetId: number, qos?: 2) =>
  publishPacket(version, {
    topic,
    payload: `{"n":${number}}`,
    packetId,
    ...(qos === undefined ? {} : { qos }),
  });

const pubrel = (packetId: number): Uint8Array =>
  packet(0x62, new Uint8Array([packetId >> 8, packetId & 255]));

/** Sends all of it while it reads so many packets, and gives those. */
async function exchange(
  client: RawClient,
  bytes: readonly Uint8Array[],
  answers: number,
): Promise<Uint8Array[]> {
  const sending = client.send(concatBytes(bytes));
  const got: Uint8Array[] = [];
  while (got.length < answers) {
    const next = await client.read();
    assert.ok(next !== undefined, `ended after ${got.length} of ${answers} answers`);
    got.push(next);
  }
  await sending;
  return got;
}

const idOf = (answer: Uint8Array): number => (answer[2]! << 8) | answer[3]!;
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

Deno.test("clients that use up what is bounded cost nobody else anything", async (t) => {
  await using sluice: Sluice = await startSluice({ config: { shards: 2 } });
  using bystanders = await Bystanders.join(sluice);
  const { httpUrl, mqttPort } = sluice;
  const before = await sluice.process.residentBytes();

  await t.step("QoS 2 without PUBREL: the receive maximum ends it, MQTT 5", async () => {
    using client = await RawClient.connect(mqttPort, 5);
    const flood = range(1, 1_100).map((id) => reading(5, "flood/five", id, id, 2));
    const sending = client.send(concatBytes(flood)).catch(() => {}); // It ends in the middle.
    let acknowledged = 0;
    for (;;) {
      const answer = await client.read();
      assert.ok(answer !== undefined, "ended without its reason");
      if (answer[0] === disconnect) {
        assert.equal(answer[2], receiveMaximumExceeded);
        break;
      }
      assert.equal(answer[0], pubrec);
      acknowledged++;
    }
    assert.ok(acknowledged <= 1_024, String(acknowledged));
    assert.equal(await client.read(), undefined);
    await sending;
  });

  await t.step("QoS 2 without PUBREL, MQTT 3.1.1: each identifier is one message", async () => {
    using client = await RawClient.connect(mqttPort, 4);
    const ids = range(1, 3_000);
    for (const round of [0, 1]) {
      // The second round has other payloads, and no DUP: still the message that is not released.
      const packets = ids.map((id) => reading(4, "flood/four", round * 10_000 + id, id, 2));
      const answers = await exchange(client, packets, ids.length);
      assert.ok(answers.every((answer) => answer[0] === pubrec));
    }
    const released = await exchange(client, ids.map(pubrel), ids.length);
    assert.deepEqual(released.map(idOf), ids);
    await settledBooks(httpUrl);
    const values = await storedValues(httpUrl, "flood~four");
    assert.equal(values.length, ids.length);
    assert.ok(values.every(({ value }) => value < 10_000));
  });

  await t.step("PUBREL of what was never sent is answered, and does nothing", async () => {
    using client = await RawClient.connect(mqttPort, 5);
    const answers = await exchange(client, range(1, 2_000).map(pubrel), 2_000);
    assert.ok(answers.every((answer) => answer[0] === pubcomp));
    assert.ok(answers.every((answer) => answer[4] === packetIdentifierNotFound));
  });

  await t.step("all 65,535 identifiers at once, and one again: each is acknowledged", async () => {
    using client = await RawClient.connect(mqttPort, 4);
    const ids = [...range(1, 65_535), 1, 65_535];
    const packets = ids.map((id) => publishPacket(4, { topic: "no", payload: "", packetId: id }));
    const answers = await exchange(client, packets, ids.length);
    assert.ok(answers.every((answer) => answer[0] === puback));
    assert.deepEqual(answers.map(idOf), ids);
  });

  await t.step("one identifier for two readings in flight: both are taken", async () => {
    using client = await RawClient.connect(mqttPort, 4);
    const both = [1, 2].map((n) => reading(4, "same/id", n, 7));
    assert.deepEqual((await exchange(client, both, 2)).map(idOf), [7, 7]);
    await settledBooks(httpUrl);
    const values = await storedValues(httpUrl, "same~id");
    assert.deepEqual(values.map(({ value }) => value), [1, 2]);
  });

  await t.step("thousands of filters in one SUBSCRIBE: granted up to the quota", async () => {
    for (const version of [4, 5] as const) {
      using client = await RawClient.connect(mqttPort, version);
      const filters = range(1, 20_000).map((i) => `s/${i}/+`);
      const [answer] = await exchange(client, [subscribePacket(version, 9, filters)], 1);
      const codes = answer!.slice(-filters.length);
      assert.deepEqual([...new Set(codes.slice(0, 1_000))], [1]);
      assert.deepEqual([...new Set(codes.slice(1_000))], [version === 5 ? quotaExceeded : 0x80]);
    }
  });

  await t.step("filters and topics of 10,000 levels", async () => {
    using client = await RawClient.connect(mqttPort, 5);
    const deep = "a/".repeat(9_999);
    const filters = [`${deep}#`, `${"+/".repeat(9_999)}+`, `$share/g/${deep}#`, "/".repeat(10_000)];
    const [answer] = await exchange(client, [subscribePacket(5, 1, filters)], 1);
    assert.equal(answer![0], suback);
    assert.deepEqual([...answer!.slice(-filters.length)], filters.map(() => quotaExceeded));
    assert.ok(await client.publish(`${deep}a`, '{"x":1}') >= 0x80);
  });

  await t.step("subscribing and unsubscribing without end leaves nothing behind", async () => {
    using client = await RawClient.connect(mqttPort, 5);
    const unsubscribe = (i: number) => {
      const filter = new TextEncoder().encode(`churn/${i}/#`);
      return packet(0xa2, concatBytes([[0, 2, 0, 0, filter.length], filter]));
    };
    for (let round = 0; round < 10; round++) {
      const packets = range(1, 500).flatMap((i) => [
        subscribePacket(5, 1, [`churn/${round * 500 + i}/#`]),
        unsubscribe(round * 500 + i),
      ]);
      await exchange(client, packets, packets.length);
    }
    await exchange(client, [subscribePacket(5, 1, ["stays"])], 1);
    assert.equal((await metrics(httpUrl))("sluice_pubsub_subscriptions"), 1);
  });

  await t.step("topics of the server are not for clients", async () => {
    using client = await RawClient.connect(mqttPort, 5);
    for (const topic of ["$SYS/broker/uptime", "$weather/roof", "$line/cpu", "$x/y", "$"]) {
      assert.ok(await client.publish(topic, '{"name":"roof","temperature":1}') >= 0x80, topic);
    }
    await settledBooks(httpUrl);
    assert.equal(
      (await storedValues(httpUrl)).some(({ device }) => device.includes("roof")),
      false,
    );
  });

  await t.step("client ids with a meaning elsewhere are only client ids", async () => {
    const ids = ["#", "+", "$SYS", "a/b", "__proto__", "constructor", "../../x", "'; DROP TABLE x"];
    for (const id of ids) {
      using client = await RawClient.dial(mqttPort, 5);
      const [connack] = await exchange(client, [connectPacket(5, id)], 1);
      assert.deepEqual([...connack!.slice(0, 1), connack![3]], [0x20, 0], id);
      assert.equal(await client.publish("named/one", '{"x":1}'), 0, id);
    }
  });

  await bystanders.undisturbed();
  const grown = await sluice.process.residentBytes() - before;
  assert.ok(grown < 150 * mib, `${Math.round(grown / mib)} MiB more`);
});
