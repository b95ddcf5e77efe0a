/** Limits of connections, as clients meet them. */
import assert from "node:assert/strict";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

const started = (config: Readonly<Record<string, unknown>>) =>
  startSluice({ config: { shards: 2, ...config } });

/** What CONNECT is answered with: 0 for who is let in. */
async function connackOf(client: RawClient): Promise<number | undefined> {
  await client.send(connectPacket(client.version, `c-${crypto.randomUUID()}`));
  return (await client.read())?.[3];
}

Deno.test("one address has so many connections, over all shards and /ws", async () => {
  await using sluice = await started({ limits: { connections: { perAddressMax: 6 } } });
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => RawClient.connect(sluice.mqttPort)),
  );
  using seventh = await RawClient.dial(sluice.mqttPort, 5);
  assert.equal(await connackOf(seventh), 0x97);
  const socket = new WebSocket(`${sluice.httpUrl.replace("http", "ws")}/ws`);
  await new Promise<unknown>((resolve) => socket.onerror = resolve);
  clients.pop()?.[Symbol.dispose]();
  await until("another is let in", async () => {
    using client = await RawClient.dial(sluice.mqttPort);
    return await connackOf(client) === 0;
  });
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_connections_refused_total", 'reason="address_max"') >= 2);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("one address connects at its rate", async () => {
  await using sluice = await started({ limits: { connections: { ratePerAddress: "10:3600" } } });
  const codes: (number | undefined)[] = [];
  for (let i = 0; i < 20; i++) {
    using client = await RawClient.dial(sluice.mqttPort, i % 2 === 0 ? 5 : 4);
    codes.push(await connackOf(client));
  }
  assert.deepEqual(codes.slice(0, 10), new Array(10).fill(0));
  assert.deepEqual(codes.slice(10, 12), [0x9f, 3]);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_connections_refused_total", 'reason="address_rate"'), 10);
});
