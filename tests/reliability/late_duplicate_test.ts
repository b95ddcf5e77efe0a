/**
 * A device that never saw the acknowledgements sends again, long after the readings are stored and
 * Sluice was killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pause } from "../support/load_run.ts";
import { connectPacket, publishPacket, RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  getText,
  settledBooks,
  type Sluice,
  startSluice,
} from "../support/sluice.ts";

const readings = 20;

/** Sends all of them in one session of always the same client, and waits for their PUBACKs. */
async function send(sluice: Sluice, dup: boolean): Promise<void> {
  using client = await RawClient.dial(sluice.mqttPort);
  await client.send(connectPacket(4, "forgetful"));
  assert.equal((await client.read())?.[0], 0x20);
  for (let packetId = 1; packetId <= readings; packetId++) {
    const payload = `{"value":${packetId}}`;
    await client.send(publishPacket(4, { topic: "arrival/late", payload, packetId, dup }));
  }
  for (let packetId = 1; packetId <= readings; packetId++) await client.read();
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
