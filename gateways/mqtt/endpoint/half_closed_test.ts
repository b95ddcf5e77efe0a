/** Clients that have said all they had to say, and read on. */
import assert from "node:assert/strict";
import { concatBytes } from "../../../actors/concat_bytes.ts";
import { encodePacket, type Packet } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import { openToAll } from "./endpoint_options.ts";
import { connectOf, publishOf, SessionHarness, settle } from "./testing.ts";

const bytesOf = (packets: readonly Packet[]) =>
  concatBytes(packets.map((packet) => encodePacket(packet, 4)));
const puback: Packet = { kind: "puback", packetId: 1, reasonCode: 0, properties: noProperties };
const will = {
  topic: "device/1",
  payload: new TextEncoder().encode("gone"),
  qos: 0,
  retain: false,
  properties: noProperties,
} as const;

Deno.test("CONNECT, and nothing more: it is answered, however long that takes", async () => {
  const asked = Promise.withResolvers<void>();
  const authenticate = async (...args: Parameters<typeof openToAll>) => {
    await asked.promise;
    return openToAll(...args);
  };
  const harness = new SessionHarness({ authenticate });
  const { connection } = harness.open();
  connection.feed(bytesOf([connectOf({})]));
  connection.end();
  await settle();
  assert.equal(connection.closed, false);
  asked.resolve();
  await settle();
  assert.deepEqual(connection.sent(4).map(({ kind }) => kind), ["connack"]);
  assert.equal(connection.closed, true);
  assert.deepEqual(harness.ended.map(({ end }) => end), ["closed"]);
});

Deno.test("CONNECT and PUBLISH, and nothing more: acknowledged, then it has gone without a goodbye", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  connection.feed(bytesOf([connectOf({ will }), publishOf({})]));
  connection.end();
  await settle();
  assert.deepEqual(connection.sent(4).map(({ kind }) => kind), ["connack"]);
  assert.equal(connection.closed, false);
  harness.intake.settle([0]);
  await settle();
  assert.deepEqual(connection.sent(4), [puback]);
  assert.equal(connection.closed, true);
  assert.deepEqual(harness.ended.map(({ end }) => end), ["closed"]);
  assert.deepEqual(harness.intake.taken.map(({ payload }) => payload), ["{}", "gone"]);
});

Deno.test("what cannot be acknowledged in time keeps no connection, nor its will", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  connection.feed(bytesOf([connectOf({ will }), publishOf({})]));
  connection.end();
  await settle();
  await harness.sweepAfter(5_001);
  assert.equal(connection.closed, true);
  assert.deepEqual(harness.ended.map(({ end }) => end), ["closed"]);
  assert.equal(harness.intake.taken.at(-1)?.payload, "gone");
});

Deno.test("who goes while its session drains still gets its acknowledgements, or ends late", async () => {
  for (const isSettled of [true, false]) {
    const harness = new SessionHarness();
    const { connection } = harness.open();
    connection.feed(bytesOf([connectOf({}), publishOf({})]));
    await settle();
    for (const session of harness.shared.registry.values()) session.drain();
    await settle();
    connection.end();
    await settle();
    assert.equal(connection.closed, false);
    if (isSettled) harness.intake.settle([0]);
    else await harness.sweepAfter(5_001);
    await settle();
    const kinds = connection.sent(4).map(({ kind }) => kind);
    assert.deepEqual(kinds, isSettled ? ["connack", "puback"] : ["connack"]);
    assert.equal(connection.closed, true);
    assert.deepEqual(harness.ended.map(({ end }) => end), [
      isSettled ? "drained" : "drain_timeout",
    ]);
  }
});
