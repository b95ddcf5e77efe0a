/** Quotas of subscribers, as clients meet them. */
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { metrics, startSluice, until } from "../support/sluice.ts";

Deno.test("subscriptions and retained messages beyond a quota are refused by name, and counted", async () => {
  await using sluice = await startSluice({
    config: {
      shards: 2,
      limits: { subscribers: { subscriptionsPerSessionMax: 3, retainedMax: 2 } },
    },
  });
  const client = await connectAsync(sluice.mqttUrl, { protocolVersion: 5, reconnectPeriod: 0 });
  const ask = (topic: string) => client.subscribeAsync(topic, { qos: 1 });
  for (const topic of ["a/#", "b", "c"]) assert.equal((await ask(topic))[0]?.qos, 1);
  await assert.rejects(ask("d"), /Quota exceeded/i);
  assert.equal((await ask("b"))[0]?.qos, 1, "one that is there is only changed");
  await client.unsubscribeAsync("c");
  assert.equal((await ask("d"))[0]?.qos, 1);

  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  for (const i of [1, 2, 3]) {
    await client.publishAsync(`a/r/${i}`, "kept?", { qos: 1, retain: true });
  }
  await until("all are delivered", () => heard.length === 3);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_pubsub_subscriptions_refused_total"), 1);
  assert.equal(sum("sluice_retained_messages"), 2);
  assert.equal(sum("sluice_pubsub_retained_refused_total"), 1);
  await client.endAsync();
  await new Promise<void>((resolve) => setTimeout(resolve));
});
