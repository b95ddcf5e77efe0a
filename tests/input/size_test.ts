/**
 * Sizes at the limits: payloads of MiBs between shards, the longest topics of MQTT, and payloads
 * that become many times their size in lines. Each is acknowledged, and the process goes on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freePort } from "../../gateways/testing/server_process.ts";
import { deadLetters } from "../support/api.ts";
import { publishPacket, RawClient } from "../support/raw_mqtt.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

const mib = 1024 * 1024;
const devices = 8; // Some of them are another shard's than the connection.

/** A JSON object of so many bytes. */
const payloadOf = (bytes: number): string => `{"x":1,"note":"${"n".repeat(bytes - 17)}"}`;

Deno.test("payloads of MiBs, long topics, and lines that are many times their payload", async () => {
  const mqttPort = freePort();
  await using sluice = await startSluice({
    config: {
      shards: 2,
      limits: { payloadBytesMax: 2 * mib, memoryBytesMax: 1024 * mib },
      mqtt: { listen: `127.0.0.1:${mqttPort}`, packetBytesMax: 3 * mib },
    },
  });
  using client = await RawClient.connect(mqttPort, 5);
  for (let i = 0; i < devices; i++) {
    assert.equal(await client.publish(`arrival/large-${i}`, payloadOf(2 * mib)), 0);
  }
  const tooLarge = await client.publish("arrival/large-0", payloadOf(2 * mib + 1));
  assert.equal(tooLarge, 0x97); // Quota exceeded.
  assert.equal((await deadLetters(sluice.httpUrl)).length, 1);

  const topicOf = (bytes: number) => `arrival/${"t".repeat(bytes - "arrival/".length)}`;
  assert.equal(await client.publish(topicOf(2_048), '{"x":1}'), 0);
  assert.equal(await client.publish(topicOf(65_535), '{"x":1}'), 0x90); // Topic name invalid.

  const fields = Array.from({ length: 250 }, (_, i) => `"f${i}":1`).join(",");
  const station = "s".repeat(900);
  const count = 600;
  using many = await RawClient.connect(mqttPort);
  for (let i = 1; i <= count; i++) {
    const topic = `${"l".repeat(900)}${i % devices}/${station}`;
    await many.send(publishPacket(4, { topic, payload: `{${fields}}`, packetId: i }));
  }
  for (let i = 1; i <= count; i++) assert.equal((await many.read())?.[0], 0x40);

  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
});
