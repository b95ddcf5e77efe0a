import assert from "node:assert/strict";
import { encodePacket, readPacket } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import { PacketWriter } from "../codec/writer.ts";
import { unlimited } from "../pubsub/client_limits.ts";
import { type Reply, writeReply } from "./reply.ts";
import { connectOf, publishOf, SessionHarness, settle } from "./testing.ts";

const puback: Reply = { kind: "puback", packetId: 7, reasonCode: 0x99, properties: noProperties };

function written(version: 4 | 5, limits: Partial<typeof unlimited>, reply = puback): Uint8Array {
  const writer = new PacketWriter();
  writer.byte(0xff); // What stands there already stays.
  writeReply(writer, reply, version, { ...unlimited, ...limits }, "no\nJSON");
  assert.equal(writer.bytes[0], 0xff);
  return writer.bytes.slice(1, writer.length);
}

// Shows 5: 3.4.2-2, 3.5.2-2.
Deno.test("a reason goes along where it is wanted, fits and exists", () => {
  const bytes = written(5, {});
  assert.deepEqual(readPacket(5, bytes[0]!, bytes, 2, bytes.length), {
    ...puback,
    properties: { reasonString: "no?JSON" },
  });
  const plain = encodePacket(puback, 5);
  assert.deepEqual(written(5, { packetBytesMax: bytes.length }), bytes);
  assert.deepEqual(written(5, { packetBytesMax: bytes.length - 1 }), plain);
  assert.deepEqual(written(5, { reasonStrings: false }), plain);
  assert.deepEqual(written(4, {}), encodePacket(puback, 4));
});

// Shows 5: 3.1.2-24, 3.9.2-1, 3.11.2-1.
Deno.test("a packet larger than the client takes is not written", () => {
  const codes = Array<number>(100).fill(0);
  const suback: Reply = { kind: "suback", packetId: 1, reasonCodes: codes, properties: {} };
  assert.deepEqual(written(5, { packetBytesMax: 50 }, suback), new Uint8Array());
});

// Shows 5: 3.1.2-29.
Deno.test("a client hears in words why: in CONNACK, PUBACK, PUBREC, SUBACK and DISCONNECT", async () => {
  const harness = new SessionHarness();
  harness.intake.refuse = { outcome: "refused", reason: "bad_topic", detail: "not so" };
  const wordsTo = async (properties: object) => {
    const { connection } = harness.open();
    connection.feed(
      encodePacket(connectOf({ version: 5, clientId: "words", properties }), 5),
      encodePacket(publishOf({ qos: 1, packetId: 1 }), 5),
      encodePacket(publishOf({ qos: 2, packetId: 2 }), 5),
      Uint8Array.fromHex("8207000300000561000000"), // a filter longer than its packet
    );
    await settle();
    const packets = connection.sentWithReasons(5);
    connection.end();
    await settle();
    return packets.map((packet) => [
      packet.kind,
      "properties" in packet && packet.kind !== "connect" && "reasonString" in packet.properties
        ? packet.properties.reasonString
        : undefined,
    ]);
  };
  assert.deepEqual(await wordsTo({}), [
    ["connack", undefined],
    ["puback", "not so"],
    ["pubrec", "not so"],
    ["disconnect", "a packet that ends within a field [MQTT-2.1.4]"],
  ]);
  assert.deepEqual(await wordsTo({ requestProblemInformation: false }), [
    ["connack", undefined],
    ["puback", undefined],
    ["pubrec", undefined],
    ["disconnect", undefined],
  ]);
  assert.deepEqual(await wordsTo({ authenticationMethod: "SCRAM" }), [
    ["connack", "enhanced authentication is not offered"],
  ]);
});

Deno.test("a client that takes no packet as large as CONNACK is not let in", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  const properties = { maximumPacketSize: 4 };
  connection.feed(encodePacket(connectOf({ version: 5, properties }), 5));
  await settle();
  assert.deepEqual(connection.sent(5), []);
  assert.equal(harness.ended[0]?.end, "refused");
});
