/**
 * What no MQTT client would send: it costs the connection it came on, and no other.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../actors/concat_bytes.ts";
import { Bystanders, settledFor, storedSeries } from "../support/input.ts";
import { connectPacket, packet, publishPacket, RawClient } from "../support/raw_mqtt.ts";
import { metrics, type Sluice, startSluice } from "../support/sluice.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

/** Sent instead of CONNECT. */
const greetings: Readonly<Record<string, Uint8Array>> = {
  "an HTTP request": text("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
  "a TLS greeting": concatBytes([[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], random(512)]),
  "zeros": new Uint8Array(4_096),
  "ones": new Uint8Array(4_096).fill(0xff),
  "noise": concatBytes([[0xf0], random(65_536)]),
  "a PUBLISH first": publishPacket(4, { topic: "a/b", payload: '{"x":1}' }),
  "a length that never ends": concatBytes([[0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]]),
  "a CONNECT of 256 MB": concatBytes([[0x10, 0xff, 0xff, 0xff, 0x7f]]),
  "a protocol of another name": packet(
    0x10,
    concatBytes([[0, 4], text("MQTX"), [4, 2, 0, 60, 0, 0]]),
  ),
  "a version that does not exist": packet(
    0x10,
    concatBytes([[0, 4], text("MQTT"), [9, 2, 0, 60, 0, 0]]),
  ),
  "a reserved flag": packet(0x10, concatBytes([[0, 4], text("MQTT"), [4, 3, 0, 60, 0, 1, 97]])),
  "a client id with NUL": packet(0x10, concatBytes([[0, 4], text("MQTT"), [4, 2, 0, 60, 0, 1, 0]])),
};

/** Sent by a client that is connected. */
const violations: Readonly<Record<string, (version: 4 | 5) => Uint8Array>> = {
  "CONNECT again": (version) => connectPacket(version, "again"),
  "a packet type that does not exist": () => concatBytes([[0x00, 0]]),
  "a packet that only servers send": () => concatBytes([[0x20, 2, 0, 0]]),
  "QoS 3": (version) =>
    concatBytes([
      [0x36],
      publishPacket(version, { topic: "a/b", payload: "{}", packetId: 1 }).slice(1),
    ]),
  "a topic with NUL": (version) => publishPacket(version, { topic: "a/b\0c", payload: '{"x":1}' }),
  "an empty topic": (version) => publishPacket(version, { topic: "", payload: '{"x":1}' }),
  "a wildcard in a topic": (version) =>
    publishPacket(version, { topic: "a/+", payload: '{"x":1}', packetId: 1 }),
  "a topic that is not UTF-8": (version) =>
    publishPacket(version, { topic: concatBytes([text("a/"), [0xc3, 0x28]]), payload: '{"x":1}' }),
  "a topic with half of a surrogate pair": (version) =>
    publishPacket(version, {
      topic: concatBytes([text("a/"), [0xed, 0xa0, 0x80]]),
      payload: '{"x":1}',
    }),
  "a topic longer than its packet": () => packet(0x30, concatBytes([[0xff, 0xff], text("a/b")])),
  "packet identifier 0": () => packet(0x32, concatBytes([[0, 3], text("a/b"), [0, 0, 0]])),
  "a packet larger than may be": () =>
    concatBytes([[0x30, 0xff, 0xff, 0xff, 0x7f], text("and so on")]),
};

async function closes(client: RawClient): Promise<void> {
  while (await client.read() !== undefined);
}

Deno.test("garbage on the MQTT port costs that connection only", async (t) => {
  await using sluice: Sluice = await startSluice({ config: { gatewayId: "qa" } });
  using bystanders = await Bystanders.join(sluice);
  const ended = async () =>
    (await metrics(sluice.httpUrl))("sluice_mqtt_connections_ended_protocol_error_total");

  for (const [name, bytes] of Object.entries(greetings)) {
    await t.step(`${name} instead of CONNECT`, async () => {
      using client = await RawClient.dial(sluice.mqttPort);
      await client.send(bytes).catch(closedEarly);
      await closes(client);
      await bystanders.undisturbed();
    });
  }

  for (const version of [4, 5] as const) {
    for (const [name, bytes] of Object.entries(violations)) {
      await t.step(`${name}, MQTT ${version === 4 ? "3.1.1" : "5"}`, async () => {
        const before = await ended();
        using client = await RawClient.connect(sluice.mqttPort, version);
        // What came whole before is still taken.
        assert.equal(await client.publish("before/violation", '{"x":1}'), 0);
        await client.send(bytes(version)).catch(closedEarly);
        if (version === 5) {
          const farewell = await client.read();
          assert.equal(farewell?.[0], 0xe0, "DISCONNECT with the reason");
          assert.ok(farewell[2]! >= 0x80);
        }
        await closes(client);
        await bystanders.undisturbed();
        assert.equal(await ended(), before + 1);
      });
    }
  }

  await t.step("nothing at all of it is stored", async () => {
    const series = await storedSeries(sluice.httpUrl);
    assert.deepEqual(series.filter((one) => !/^(good|before)~/.test(one)), []);
  });
});

function closedEarly(cause: unknown): void {
  const gone = cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Deno.errors.ConnectionReset;
  if (!gone) throw cause;
}

Deno.test("a topic with a newline, and topics without a route, are refused and acknowledged", async () => {
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const { httpUrl, mqttPort } = sluice;
  using old = await RawClient.connect(mqttPort, 4);
  using now = await RawClient.connect(mqttPort, 5);
  assert.equal(await old.publish("a/b\nc", '{"x":1}'), 0);
  assert.equal(await now.publish("a/b\nc", '{"x":1}'), 0x90, "Topic Name invalid");
  assert.equal(await now.publish("a\n", '{"x":1}'), 0x90);
  assert.equal(await settledFor(httpUrl, "refused", "invalid_topic"), 3);

  assert.equal(await old.publish("no/route/here", '{"x":1}'), 0);
  // 0x10 means no matching subscribers: taken, and for nobody.
  assert.equal(await now.publish("no/route/here", '{"x":1}'), 0x10);
  assert.equal(await settledFor(httpUrl, "refused", "no_route"), 2);
  // The server's own: no client speaks for it.
  assert.equal(await now.publish("$SYS/broker/uptime", "1"), 0x90);
  assert.equal(await now.publish("$weather/roof", '{"name":"roof","temperature":1}'), 0x90);
  assert.equal(await settledFor(httpUrl, "refused", "topic_reserved"), 2);

  // The same sessions go on.
  assert.equal(await old.publish("a/b", '{"x":1}'), 0);
  assert.equal(await now.publish("a/b", '{"x":1}'), 0);
  const { received, stored, refused } = await bystanders.undisturbed();
  assert.deepEqual([refused, stored], [7, received - 7]);
});

Deno.test("rejected readings carry their reason to a client of MQTT 5", async () => {
  await using sluice = await startSluice();
  using client = await RawClient.connect(sluice.mqttPort, 5);
  assert.equal(await client.publish("a/b", "not json"), 0x99, "Payload format invalid");
  assert.equal(await client.publish("a/b", '{"x":1,"timestamp":"never"}'), 0x99);
  assert.equal(await client.publish("a/b", "x".repeat(300_000)), 0x97, "Quota exceeded");
  assert.equal(await client.publish("a/b", '{"x":1}'), 0);
});

Deno.test("a message sent again with DUP and its identifier is stored once", async () => {
  await using sluice = await startSluice();
  using client = await RawClient.connect(sluice.mqttPort, 4);
  await client.publish("a/b", '{"x":1}');
  const { packetId } = client;
  await client.publish("a/b", '{"x":1}', { packetId });
  await client.publish("a/b", '{"x":1}');
  using bystanders = await Bystanders.join(sluice);
  const { duplicate } = await bystanders.undisturbed();
  assert.equal(duplicate, 1);
  assert.deepEqual(await storedSeries(sluice.httpUrl, "a~b"), ["a~b.x=1", "a~b.x=1"]);
});

Deno.test("the largest packet is taken, a byte more ends its connection with the reason", async () => {
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const packetBytesMax = 524_288; // mqtt.packetBytesMax
  const topic = "a/b";
  // Fixed header 4, topic 2 + 3, identifier 2, properties 1.
  const payloadMax = packetBytesMax - 12;
  using client = await RawClient.connect(sluice.mqttPort, 5);
  assert.equal(await client.publish(topic, "x".repeat(payloadMax)), 0x97);
  await client.send(
    publishPacket(5, { topic, payload: "x".repeat(payloadMax + 1), packetId: 2 }),
  ).catch(closedEarly);
  const farewell = await client.read();
  assert.deepEqual([farewell?.[0], farewell?.[2]], [0xe0, 0x95], "Packet too large");
  await closes(client);
  const { deadLettered } = await bystanders.undisturbed();
  assert.equal(deadLettered, 1);
});
