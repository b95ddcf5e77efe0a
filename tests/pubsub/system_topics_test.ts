/** `$SYS` as clients of two shards see it. */
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { startSluice, until } from "../support/sluice.ts";

Deno.test("clients on every shard are told of all shards, and others cannot speak for $SYS", async () => {
  await using sluice = await startSluice({
    config: { shards: 2 },
    env: { SLUICE_MQTT_SYS_INTERVAL_MS: "100" },
  });
  const clients = await Promise.all(
    Array.from(
      { length: 6 },
      () => connectAsync(sluice.mqttUrl, { protocolVersion: 5, reconnectPeriod: 0 }),
    ),
  );
  const heard = clients.map((client) => {
    const values = new Map<string, string>();
    client.on("message", (topic, payload) => values.set(topic, payload.toString()));
    return values;
  });
  await Promise.all(clients.map((client) => client.subscribeAsync("$SYS/#")));
  const says = (topic: string, value: RegExp) =>
    until(
      topic,
      () => heard.every((values) => value.test(values.get(`$SYS/broker/${topic}`) ?? "")),
    );
  await says("version", /^sluice version \d/);
  await says("clients/connected", /^6$/);
  await says("subscriptions/count", /^6$/);
  await assert.rejects(
    clients[0]!.publishAsync("$SYS/broker/version", "mine", { qos: 1 }),
    /Topic Name invalid/,
  );
  await clients[1]!.publishAsync("a/b", '{"x":1}', { qos: 1 });
  await says("publish/messages/received", /^[1-9]/);
  await says("bytes/received", /^[1-9]/);
  await says("load/publish/received/1min", /^(0\.[1-9]|[1-9])/);
  assert.ok(heard.every((values) => values.get("$SYS/broker/version") !== "mine"));
  await Promise.all(clients.map((client) => client.endAsync()));
});
