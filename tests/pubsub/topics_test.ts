/** Topics as resources of HTTP, beside the same topics over MQTT. */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { settledBooks, type Sluice, startSluice, until } from "../support/sluice.ts";
import { assertConserved } from "../support/sluice.ts";
import { Viewer } from "../support/viewer.ts";

const config = { shards: 2 };

async function connect({ mqttUrl }: Sluice): Promise<MqttClient> {
  return await connectAsync(mqttUrl, { protocolVersion: 5, reconnectPeriod: 0 });
}

async function end(clients: readonly MqttClient[]): Promise<void> {
  for (const mqtt of clients) await mqtt.endAsync();
  // mqtt.js closes its stores in timers of 0 ms that nothing waits for.
  await new Promise<void>((resolve) => setTimeout(resolve));
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A request for a topic; the path is percent-encoded already. */
async function ask({ httpUrl }: Sluice, path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${httpUrl}/api/topics/${path}`, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const put = (sluice: Sluice, path: string, body: string, headers: Record<string, string> = {}) =>
  ask(sluice, path, { method: "PUT", body, headers });

const problemOf = ({ text }: Answer): Readonly<Record<string, unknown>> => JSON.parse(text);
const accept = { accept: "text/event-stream" };

Deno.test("what is put is retained, and reaches subscribers in every shard", async () => {
  await using sluice = await startSluice({ config });
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(sluice)));
  const heard: string[] = [];
  for (const mqtt of clients) {
    mqtt.on("message", (topic, payload, { qos, retain, properties }) => {
      heard.push(`${topic} ${payload} ${qos} ${retain} ${properties?.contentType}`);
    });
    await mqtt.subscribeAsync("a/#", { qos: 2, rap: true });
  }
  const type = { "content-type": "text/csv" };
  assert.equal((await put(sluice, "a/b/c%3Fd?qos=2", "1,2", type)).status, 204);
  await until("all have heard", () => heard.length === 6);
  assert.deepEqual(new Set(heard), new Set(["a/b/c?d 1,2 2 true text/csv"]));
  const value = await ask(sluice, "a%2Fb%2Fc%3Fd");
  assert.deepEqual([value.status, value.text], [200, "1,2"]);
  assert.equal(value.headers.get("content-type"), "text/csv");
  assert.equal(value.headers.get("sluice-value"), "retained");
  const tag = value.headers.get("etag") ?? "";
  const again = await ask(sluice, "a/b/c%3Fd", { headers: { "if-none-match": tag } });
  assert.deepEqual([again.status, again.text], [304, ""]);
  // Only who knows the value may change it; what is refused reaches nobody.
  const stale = await put(sluice, "a/b/c%3Fd", "3,4", { ...type, "if-match": '"x"' });
  assert.deepEqual([stale.status, problemOf(stale)["type"]], [
    412,
    "urn:sluice:problem:precondition-failed",
  ]);
  for (
    const [method, headers] of [
      ["PUT", { "if-none-match": "*" }],
      ["POST", { "if-none-match": tag }],
      ["DELETE", { "if-match": `W/${tag}` }],
      ["GET", { "if-match": '"x"' }],
    ] as const
  ) {
    const body = method === "PUT" || method === "POST" ? { body: "3,4" } : {};
    const refused = await ask(sluice, "a/b/c%3Fd", { method, headers, ...body });
    assert.equal(refused.status, 412, `${method}: ${refused.text}`);
  }
  const unquoted = await put(sluice, "a/b/c%3Fd", "3,4", { "if-match": "x" });
  assert.equal(unquoted.status, 400, unquoted.text);
  const reading = { ...type, "if-none-match": "*" };
  assert.equal((await put(sluice, "a/b/c%3Fd?reading=false", "3,4", reading)).status, 412);
  // Of several who know it one gets through, and what it is told is known again.
  const rivals = await Promise.all(
    ["5", "6", "7"].map((text) =>
      put(sluice, "a/b/rivals", text, { ...type, "if-none-match": "*" })
    ),
  );
  assert.deepEqual(rivals.map(({ status }) => status).sort(), [204, 412, 412]);
  const won = rivals.find(({ status }) => status === 204)?.headers.get("etag") ?? "";
  assert.equal((await ask(sluice, "a/b/rivals")).headers.get("etag"), won);
  // Who heard no answer asks again: its own value does not stand in its way, another one does.
  const known = { ...type, "if-match": won };
  assert.equal((await put(sluice, "a/b/rivals?reading=false", "8", known)).status, 204);
  const repeated = await put(sluice, "a/b/rivals?reading=false", "8", known);
  assert.equal(repeated.status, 204, repeated.text);
  assert.equal((await put(sluice, "a/b/rivals", "9", known)).status, 412);
  const now = repeated.headers.get("etag") ?? "";
  const clear = { method: "DELETE", headers: { "if-match": now } };
  assert.equal((await ask(sluice, "a/b/rivals", clear)).status, 204);
  assert.equal((await ask(sluice, "a/b/rivals", clear)).status, 204);
  await until("all have heard of the rivals", () => heard.length === 36);
  assert.ok(heard.splice(6).every((text) => text.startsWith("a/b/rivals ")));
  // A message that is not retained leaves what is.
  assert.equal((await ask(sluice, "a/b/c%3Fd", { method: "POST", body: "x" })).status, 204);
  await until("all have heard", () => heard.length === 12);
  assert.equal((await ask(sluice, "a/b/c%3Fd")).text, "1,2");
  assert.equal((await ask(sluice, "a/b/c%3Fd", { method: "DELETE" })).status, 204);
  await until("all have heard", () => heard.length === 18);
  assert.deepEqual(heard.slice(12), Array(6).fill("a/b/c?d  1 true undefined"));
  assert.equal((await ask(sluice, "a/b/c%3Fd")).status, 404);
  // Also for who subscribes only now.
  const [late] = clients;
  const before = heard.length;
  await late?.subscribeAsync("a/b/+", { qos: 1 });
  await late?.publishAsync("a/end", "");
  await until("the last one", () => heard.some((text) => text.startsWith("a/end")));
  assert.ok(heard.slice(before).every((text) => text.startsWith("a/end")));
  await end(clients);
});

Deno.test("a put of a topic that a route takes is a reading; what is refused says why", async () => {
  await using sluice = await startSluice({ config });
  const stored = await put(sluice, "device/d1", '{"uuid":"d1","value":7}');
  assert.deepEqual([stored.status, stored.headers.get("sluice-reading")], [204, "settled"]);
  await until("it is stored", async () => {
    const answer = await fetch(`${sluice.httpUrl}/api/readings?device=d1`);
    const { items } = await answer.json();
    return items[0]?.value === 7;
  });
  const foreign = await put(sluice, "device/d1", '{"uuid":"d2","value":7}');
  assert.deepEqual([foreign.status, problemOf(foreign)["reason"]], [409, "identity_mismatch"]);
  const text = await put(sluice, "UPB/RPi_1", "no JSON");
  assert.equal(text.status, 422);
  assert.deepEqual([problemOf(text)["outcome"], problemOf(text)["published"]], [
    "dead_lettered",
    true,
  ]);
  const asMessage = await put(sluice, "UPB/RPi_1?reading=false", "no JSON either");
  assert.deepEqual([asMessage.status, asMessage.headers.get("sluice-reading")], [204, "none"]);
  assert.equal((await ask(sluice, "UPB/RPi_1")).text, "no JSON either");
  const noRoute = await put(sluice, "no/route/at/all", "x");
  assert.deepEqual([noRoute.status, noRoute.headers.get("sluice-reading")], [204, "no-route"]);
  // Who wonders where the readings of such topics are, finds them named: of every way in.
  const mqtt = await connect(sluice);
  await mqtt.publishAsync("\u001b[31m<b>/of/three", "1", { qos: 1 });
  await end([mqtt]);
  const named = await (await fetch(`${sluice.httpUrl}/api/refused-topics`)).json();
  assert.equal(named.forgotten, 0);
  assert.deepEqual(
    named.items.map(({ topic, reason, count }: Record<string, unknown>) => [topic, reason, count]),
    [["\u001b[31m<b>/of/three", "no_route", 1], ["no/route/at/all", "no_route", 1]],
  );
  // With a key the same reading is one reading.
  const key = { "idempotency-key": "k1" };
  for (let i = 0; i < 2; i++) {
    assert.equal((await put(sluice, "device/d3", '{"uuid":"d3","value":1}', key)).status, 204);
  }
  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
  assert.deepEqual([books.stored, books.duplicate, books.deadLettered, books.refused], [
    2,
    1,
    2,
    2,
  ]);
});

Deno.test("what cannot be put, read or followed is refused", async () => {
  await using sluice = await startSluice({
    config: { ...config, limits: { payloadBytesMax: 1_024, subscribers: { retainedMax: 1 } } },
  });
  const table: readonly (readonly [method: string, path: string, status: number, type: string])[] =
    [
      ["PUT", "a/%2B", 400, "invalid-topic"],
      ["PUT", "a/%23", 400, "invalid-topic"],
      ["PUT", "a%00", 400, "invalid-topic"],
      ["PUT", "a%0Ab", 400, "invalid-topic"],
      ["PUT", "a%ff", 400, "invalid-topic"],
      ["DELETE", "%2B", 400, "invalid-topic"],
      ["GET", "%23", 400, "invalid-topic"],
      ["GET", "%zz", 400, "invalid-topic"],
      ["PUT", "$SYS/x", 403, "forbidden"],
      ["DELETE", "$x", 403, "forbidden"],
      ["GET", "nothing/here", 404, "not-found"],
      ["PUT", "a?qos=3", 400, "invalid-parameter"],
      ["PUT", "a?retain=1", 400, "invalid-parameter"],
      ["PUT", "a?expires=0", 400, "invalid-parameter"],
      ["GET", "a?x=1", 400, "invalid-parameter"],
      ["GET", "a?history=0", 400, "invalid-parameter"],
      ["PATCH", "a", 405, "method-not-allowed"],
    ];
  for (const [method, path, status, type] of table) {
    const answer = await ask(sluice, path, { method, ...(method === "PUT" ? { body: "x" } : {}) });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    assert.equal(problemOf(answer)["type"], `urn:sluice:problem:${type}`);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
  }
  assert.equal((await put(sluice, "a", "x".repeat(1_025))).status, 413);
  assert.equal((await put(sluice, "a", "")).status, 400);
  assert.equal((await ask(sluice, "a/%23/b", { headers: accept })).status, 400);
  assert.match((await put(sluice, "x/y/z", "on")).headers.get("etag") ?? "", /^".{22}"$/);
  // There is no room for a second one: it is sent on, and nothing tells of what is not there.
  const beyond = await put(sluice, "x/y/beyond", "on");
  assert.deepEqual([beyond.status, beyond.headers.get("etag")], [204, null]);
  const html = { headers: { accept: "text/html" } };
  assert.equal(
    problemOf(await ask(sluice, "x/y/z", html))["type"],
    "urn:sluice:problem:not-acceptable",
  );
  const allow = (await ask(sluice, "a", { method: "OPTIONS" })).headers.get("allow");
  assert.equal(allow, "GET, HEAD, PUT, POST, DELETE");
});

Deno.test("who follows hears both sides, and goes on where it was", async () => {
  await using sluice = await startSluice({ config });
  const mqtt = await connect(sluice);
  const url = (path: string) => `${sluice.httpUrl}/api/topics/${path}`;
  await put(sluice, "f/kept/1", "kept");
  const payloads = ({ events }: Viewer) =>
    events.filter(({ name }) => name === "message").map(({ data }) =>
      `${data["topic"]} ${data["payload"]}`
    );
  let lastId = "";
  {
    await using all = new Viewer(url("f/%23"), accept);
    await until("all is told", () => all.events.some(({ name }) => name === "ready"));
    await mqtt.publishAsync("f/1/x", "by MQTT", { qos: 1 });
    assert.equal((await put(sluice, "f/2", "2", {})).status, 422); // A reading of a station, or none.
    await until("both came", () => payloads(all).length === 3);
    assert.deepEqual(payloads(all).toSorted(), ["f/1/x by MQTT", "f/2 2", "f/kept/1 kept"]);
    lastId = all.lastId;
  }
  await mqtt.publishAsync("f/3/x", "while away", { qos: 1 });
  await put(sluice, "f/4/5", "also");
  {
    await using back = new Viewer(url("f/%23"), { ...accept, "last-event-id": lastId });
    await until("what was missed", () => payloads(back).length === 2);
    // Of two publishers: their order is nobody's.
    assert.deepEqual(payloads(back).toSorted(), ["f/3/x while away", "f/4/5 also"]);
    assert.ok(back.events.every(({ name }) => name === "message"));
  }
  {
    await using stranger = new Viewer(url("f/%23"), { ...accept, "last-event-id": "zz-1" });
    await until("the gap", () => stranger.events.some(({ name }) => name === "gap"));
  }
  await end([mqtt]);
});

Deno.test("the last value is told where none is retained, and the history of who asked", async () => {
  await using sluice = await startSluice({ config });
  const mqtt = await connect(sluice);
  await mqtt.publishAsync("device/d1", '{"uuid":"d1","value":7,"t":1}', { qos: 1 });
  const device = await ask(sluice, "device/d1");
  assert.deepEqual([device.headers.get("sluice-value"), JSON.parse(device.text)], [
    "device",
    { value: 7, t: 1 },
  ]);
  assert.notEqual(device.headers.get("last-modified"), null);
  assert.equal((await ask(sluice, "l/1/x?history=10")).text, '{"items":[]}');
  for (const n of [1, 2, 3]) await mqtt.publishAsync("l/1/x", `${n}`, { qos: 1 });
  await until("the last one", async () => (await ask(sluice, "l/1/x")).text === "3");
  assert.equal((await ask(sluice, "l/1/x")).headers.get("sluice-value"), "last");
  const { items } = JSON.parse((await ask(sluice, "l/1/x?history=2")).text);
  assert.deepEqual(items.map(({ payload }: { payload: string }) => payload), ["2", "3"]);
  const { readings } = JSON.parse((await ask(sluice, "device/d1?history=1")).text);
  await until("both values are stored", async () => {
    const { items } = await (await fetch(`${sluice.httpUrl}${readings}`)).json();
    return items.length === 2;
  });
  await end([mqtt]);
});
