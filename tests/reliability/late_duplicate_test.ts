/**
 * A device that never saw the acknowledgements sends again, long after the readings are stored and
 * Sluice was killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pause } from "../support/load_run.ts";
import { connectPacket, packet, publishPacket, RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  getText,
  metrics,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";

const readings = 20;

/** Sends all of them in one session of always the same client, and waits for their PUBACKs. */
async function send(
  sluice: Sluice,
  dup: boolean,
  deviceOf = (_packetId: number) => "late",
): Promise<void> {
  using client = await publishAll(sluice, dup, deviceOf);
  for (let packetId = 1; packetId <= readings; packetId++) await client.read();
}

/** The session, whose PUBACKs are still to be read. */
async function publishAll(
  sluice: Sluice,
  dup: boolean,
  deviceOf: (packetId: number) => string,
): Promise<RawClient> {
  const client = await RawClient.dial(sluice.mqttPort);
  await client.send(connectPacket(4, "forgetful"));
  assert.equal((await client.read())?.[0], 0x20);
  for (let packetId = 1; packetId <= readings; packetId++) {
    const payload = `{"value":${packetId}}`;
    const topic = `arrival/${deviceOf(packetId)}`;
    await client.send(publishPacket(4, { topic, payload, packetId, dup }));
  }
  return client;
}

Deno.test("readings that come again with DUP after they were stored and Sluice was killed are not doubled", async () => {
  await using sluice = await startSluice();
  await send(sluice, false); // The device sees no PUBACK of these, let us say.
  assert.equal((await settledBooks(sluice.httpUrl)).stored, readings);
  await pause(4_000); // The spool has let go of them meanwhile.
  await sluice.process.kill();
  await sluice.process.restart();
  await send(sluice, true);
  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
  assert.equal(books.duplicate, readings);
  const { text } = await getText(`${sluice.httpUrl}/api/readings?device=late&metric=value`);
  assert.equal(text.split('"value":').length - 1, readings);
});

Deno.test("nor are they where a kill is followed by a start with another number of shards", async () => {
  const config = { shards: 2 };
  await using sluice = await startSluice({ config });
  const post = () =>
    Promise.all(Array.from({ length: readings }, async (_, i) => {
      const response = await fetch(`${sluice.httpUrl}/api/readings?topic=arrival/posted_${i}`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": `key-${i}` },
        body: `{"value":${i}}`,
      });
      assert.equal(response.status, 204, await response.text());
    }));
  const deviceOf = (packetId: number) => `late_${packetId}`;
  await send(sluice, false, deviceOf);
  await post();
  for (const shards of [3, 1, 2]) {
    await sluice.process.kill(); // Before the states of devices are saved.
    config.shards = shards;
    await sluice.process.restart();
    await send(sluice, true, deviceOf);
    await post();
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.duplicate, 2 * readings, `with ${shards} shards`);
  }
});

Deno.test("with ack stored, what comes again after that is acknowledged when the store has it", async () => {
  let isUp = false;
  await using store = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(null, { status: isUp ? 204 : 503 }),
  );
  const url = `http://127.0.0.1:${store.addr.port}`;
  const config = { shards: 2, ack: "stored", influx: { url } };
  await using sluice = await startSluice({ config });
  const deviceOf = (packetId: number) => `owed_${packetId}`;
  const count = async (name: string, label?: string) =>
    (await metrics(sluice.httpUrl))(name, label);
  {
    using _client = await publishAll(sluice, false, deviceOf);
    await until(
      "all are spooled",
      async () => await count("sluice_spool_readings") === readings,
    );
  }
  await sluice.process.kill();
  config.shards = 3;
  await sluice.process.restart();
  using client = await publishAll(sluice, true, deviceOf);
  await until(
    "all are known",
    async () => await count("sluice_readings_settled_total", 'outcome="duplicate"') === readings,
  );
  await client.send(packet(0xc0, new Uint8Array()));
  assert.equal((await client.read())?.[0], 0xd0, "PINGRESP, and no PUBACK before it");
  isUp = true;
  for (let packetId = 1; packetId <= readings; packetId++) {
    assert.equal((await client.read())?.[0], 0x40);
  }
  assertConserved(await settledBooks(sluice.httpUrl));
});
