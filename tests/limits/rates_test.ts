/** Rates as senders meet them: held back on every transport, and nothing lost. */
import assert from "node:assert/strict";
import { RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  getText,
  metrics,
  settledBooks,
  startSluice,
  until,
} from "../support/sluice.ts";

const rated = (rates: unknown) => ({ config: { shards: 2, limits: { rates } } });

Deno.test("a device over its rate waits on all of its connections; another one does not", async () => {
  await using sluice = await startSluice(rated({ device: { messages: "10:1" } }));
  const clients = await Promise.all(
    [4, 5, 4, 5].map((version) => RawClient.connect(sluice.mqttPort, version === 5 ? 5 : 4)),
  );
  using other = await RawClient.connect(sluice.mqttPort);
  const startMs = performance.now();
  const send = async (client: RawClient, device: string, count: number, from = 0) => {
    for (let n = 0; n < count; n++) {
      assert.equal(await client.publish(`UPB/${device}`, `{"TMP":${from + n}}`), 0);
    }
  };
  await Promise.all([
    ...clients.map((client, i) => send(client, "fast", 10, 100 * i)),
    send(other, "slow", 9),
  ]);
  assert.ok(performance.now() - startMs >= 2_900, "40 at 10 a second take 3 s");
  const { text } = await getText(`${sluice.httpUrl}/api/devices/UPB~slow`);
  assert.doesNotMatch(text, /limitedForMs/, "the other one has a rate of its own");
  for (const client of clients) client[Symbol.dispose]();

  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
  assert.equal(books.stored, 49);
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_rate_limited_total", 'subject="device"') > 0);
  assert.equal(sum("sluice_rate_limited_total", 'subject="account"'), 0);
});

Deno.test("a device's points are a debt that its next message waits for", async () => {
  await using sluice = await startSluice(rated({ device: { points: "20:1" } }));
  using client = await RawClient.connect(sluice.mqttPort, 5);
  const fields = Array.from({ length: 60 }, (_, i) => `"f${i}":${i}`).join();
  const startMs = performance.now();
  await client.publish("UPB/wide", `{${fields}}`);
  await client.publish("UPB/wide", '{"TMP":1}');
  assert.ok(performance.now() - startMs >= 1_900, "60 points of 20 a second are 2 s too many");
  assertConserved(await settledBooks(sluice.httpUrl));
});

Deno.test("over HTTP the items beyond a rate are named, with when to send them again", async () => {
  await using sluice = await startSluice(
    rated({ address: { messages: "10:60" }, device: { messages: "1:3600" } }),
  );
  const post = (count: number) =>
    fetch(`${sluice.httpUrl}/api/readings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(
        Array.from({ length: count }, (_, i) => ({ topic: `UPB/RPi_${i}`, payload: { TMP: i } })),
      ),
    });
  const answer = await post(25);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("retry-after"), "6");
  const problem = await answer.json();
  assert.equal(problem.type, "urn:sluice:problem:rate-limited");
  assert.equal(problem.taken, 10);
  const again = await post(1);
  assert.equal(again.status, 429);
  assert.equal((await again.json()).taken, 0);
  assert.equal((await settledBooks(sluice.httpUrl)).stored, 10);
  const { text } = await getText(`${sluice.httpUrl}/api/devices/UPB~RPi_0`);
  assert.match(text, /"limitedForMs":\d{6,7}\b/);
});

Deno.test("a topic over HTTP counts for its sender, whether a reading is made of it or not", async () => {
  await using sluice = await startSluice(rated({ address: { messages: "4:3600" } }));
  const ask = async (method: string, topic: string) => {
    const answer = await fetch(`${sluice.httpUrl}/api/topics/${topic}`, {
      method,
      body: method === "DELETE" ? null : '{"TMP":1}',
    });
    const text = await answer.text();
    return { status: answer.status, after: Number(answer.headers.get("retry-after")), text };
  };
  const asked = [
    ["PUT", "UPB/RPi_1"],
    ["POST", "no/route/takes/it"],
    ["POST", "UPB/RPi_1?reading=false"],
    ["DELETE", "UPB/RPi_1"],
  ] as const;
  for (const [method, topic] of asked) assert.equal((await ask(method, topic)).status, 204, topic);
  for (const [method, topic] of asked) {
    const { status, after, text } = await ask(method, topic);
    assert.equal(status, 429, topic);
    assert.match(text, /"urn:sluice:problem:rate-limited"/);
    assert.ok(after > 800 && after <= 900, String(after));
  }
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_rate_limited_total", 'subject="address"'), 4);
  const value = await fetch(`${sluice.httpUrl}/api/topics/UPB/RPi_1`);
  await value.body?.cancel();
  assert.notEqual(value.headers.get("sluice-value"), "retained", "the fifth PUT was not taken");
});

Deno.test("a station over its rate is given no credit until it may send again", async () => {
  await using sluice = await startSluice(rated({ device: { messages: "3:1" } }));
  const socket = new WebSocket(`${sluice.httpUrl.replace("http", "ws")}/ws`);
  const frames: string[] = [];
  socket.onmessage = ({ data }) => frames.push(String(data));
  await new Promise<unknown>((resolve) => socket.onopen = resolve);
  for (let id = 1; id <= 6; id++) {
    const frame = { type: "reading", id, topic: "UPB/RPi_1", payload: { TMP: id } };
    socket.send(JSON.stringify(frame));
  }
  await until("all are acknowledged", () => frames.filter((f) => f.includes('"ack"')).length === 6);
  const credits = frames.filter((frame) =>
    frame.includes('"credit"') && !frame.includes("welcome")
  );
  assert.match(credits[0] ?? "", /"readings":0/);
  assert.match(credits.at(-1) ?? "", /"readings":256/);
  const closed = new Promise<unknown>((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
  assert.equal((await settledBooks(sluice.httpUrl)).stored, 6);
});
