/** A subscriber that reads nothing must be nobody's trouble but its own. */
import assert from "node:assert/strict";
import { concatBytes } from "../../actors/concat_bytes.ts";
import { connectAsync } from "mqtt";
import { packet, RawClient } from "../support/raw_mqtt.ts";
import { sim } from "../support/sim.ts";
import { assertConserved, metrics, settledBooks, startSluice } from "../support/sluice.ts";

/** SUBSCRIBE of MQTT 3.1.1 with QoS 0 to everything. */
const subscribeToAll = packet(0x82, concatBytes([[0, 1], [0, 1], [0x23], [0]]));

Deno.test("slow subscribers slow neither publishers nor the store nor other subscribers", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const slow = await Promise.all(
    Array.from({ length: 4 }, () => RawClient.connect(sluice.mqttPort)),
  );
  for (const client of slow) {
    await client.send(subscribeToAll);
    assert.equal((await client.read())?.[0], 0x90);
  }
  const quick = await connectAsync(sluice.mqttUrl, { reconnectPeriod: 0 });
  let heard = 0;
  quick.on("message", () => heard++);
  await quick.subscribeAsync("$share/all/bench/#", { qos: 0 });

  // More than sockets and queues hold.
  const large = "x".repeat(200_000);
  for (let i = 0; i < 150; i++) await quick.publishAsync("large/no/route", large, { qos: 1 });

  const seconds = 5;
  const rate = 2_000;
  const { code, report } = await sim([
    ...["load", "--url", sluice.mqttUrl, "--model", "bench", "--connections", "8"],
    ...["--rate", String(rate), "--duration-s", String(seconds), "--qos", "1"],
  ]);
  assert.equal(code, 0, JSON.stringify(report));
  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
  assert.ok(books.stored >= rate * seconds * 0.9, JSON.stringify(books));
  assert.equal(heard, books.received - books.refused, "the quick one has heard all of it");
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_pubsub_lost_qos0_full_total") > 0, "the slow ones have lost");
  assert.equal(sum("sluice_pubsub_lost_full_total"), 0);
  assert.equal(sum("sluice_mqtt_connections_ended_crashed_total"), 0);
  for (const client of slow) client[Symbol.dispose]();
  await quick.endAsync();
  await new Promise<void>((resolve) => setTimeout(resolve));
});
