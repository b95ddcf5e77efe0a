/** Limits of connections, as clients meet them. */
import assert from "node:assert/strict";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

const started = (config: Readonly<Record<string, unknown>>) =>
  startSluice({ config: { shards: 2, ...config } });

/** Whether a client is let in. */
async function letIn(client: RawClient): Promise<boolean> {
  try {
    await client.send(connectPacket(4, `c-${crypto.randomUUID()}`));
    return (await client.read()) !== undefined;
  } catch {
    return false; // The connection was closed before.
  }
}

Deno.test("one address has so many connections, over all shards and /ws", async () => {
  await using sluice = await started({ limits: { connections: { perAddressMax: 6 } } });
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => RawClient.connect(sluice.mqttPort)),
  );
  using seventh = await RawClient.dial(sluice.mqttPort);
  assert.equal(await letIn(seventh), false);
  const socket = new WebSocket(`${sluice.httpUrl.replace("http", "ws")}/ws`);
  await new Promise<unknown>((resolve) => socket.onerror = resolve);
  clients.pop()?.[Symbol.dispose]();
  await until("another is let in", async () => {
    using client = await RawClient.dial(sluice.mqttPort);
    return await letIn(client);
  });
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_connections_refused_total", 'reason="address_max"') >= 2);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("one address connects at its rate", async () => {
  await using sluice = await started({ limits: { connections: { ratePerAddress: "10:3600" } } });
  let connected = 0;
  for (let i = 0; i < 20; i++) {
    using client = await RawClient.dial(sluice.mqttPort);
    if (await letIn(client)) connected++;
  }
  assert.equal(connected, 10);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_connections_refused_total", 'reason="address_rate"'), 10);
});
