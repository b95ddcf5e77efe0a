/** Retained messages over kill -9, and as two shards see them. */
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { metrics, type Sluice, startSluice, until } from "../support/sluice.ts";

/** Topics and payloads of what is retained below `filter`. */
async function retained({ mqttUrl }: Sluice, filter: string, count: number) {
  const client = await connectAsync(mqttUrl, { reconnectPeriod: 0 });
  const heard = new Map<string, string>();
  client.on("message", (topic, payload, { retain }) => {
    assert.ok(retain);
    assert.ok(!heard.has(topic), `${topic} twice`);
    heard.set(topic, payload.toString());
  });
  await client.subscribeAsync(filter, { qos: 1 });
  await until(`${count} retained messages`, () => heard.size >= count);
  await client.endAsync();
  await new Promise<void>((resolve) => setTimeout(resolve));
  return heard;
}

Deno.test("what was acknowledged as retained is there after kill -9, what was deleted is not", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const topics = 3_000;
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => connectAsync(sluice.mqttUrl, { reconnectPeriod: 0 })),
    );
    await Promise.all(
      Array.from({ length: topics }, (_, i) =>
        clients[i % 4]!.publishAsync(
          `kept/${i}/x`,
          i % 3 === round ? "" : `${round}`,
          { qos: (i % 2 + 1) as 1 | 2, retain: true },
        )),
    );
    await sluice.process.kill();
    for (const client of clients) client.end(true);
    await sluice.process.restart();
    const expected = topics - Math.ceil(topics / 3);
    const heard = await retained(sluice, "kept/+/x", expected);
    assert.equal(heard.size, expected);
    for (const [topic, payload] of heard) {
      assert.notEqual(Number(topic.split("/")[1]) % 3, round);
      assert.equal(payload, `${round}`);
    }
  }
  assert.equal((await metrics(sluice.httpUrl))("sluice_retained_messages"), topics * 2 / 3);
  await new Promise<void>((resolve) => setTimeout(resolve));
});
