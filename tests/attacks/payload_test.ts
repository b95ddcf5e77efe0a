/**
 * Payloads that mean harm on every way in: JSON that is deep, long or odd, patterns that backtrack,
 * names of JavaScript's own, and names that would be lines of line protocol in the real store.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { Bystanders, settledFor } from "../support/input.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";

/** A way in: sends JSON text as the payload of a topic, and resolves when it is settled. */
interface Way extends AsyncDisposable {
  readonly name: string;
  send(topic: string, payload: string): Promise<unknown>;
}

async function mqttWay({ mqttPort }: Sluice): Promise<Way> {
  const client = await RawClient.connect(mqttPort, 5);
  return {
    name: "MQTT",
    send: (topic, payload) => client.publish(topic, payload),
    [Symbol.asyncDispose]: () => Promise.resolve(client[Symbol.dispose]()),
  };
}

async function webSocketWay({ httpUrl }: Sluice): Promise<Way> {
  const url = `${httpUrl.replace("http", "ws")}/mqtt`;
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 }, false);
  return {
    name: "MQTT over WebSocket",
    // A reason code is an error of mqtt.js: the message is settled all the same.
    send: (topic, payload) => client.publishAsync(topic, payload, { qos: 2 }).catch(() => {}),
    [Symbol.asyncDispose]: () => client.endAsync(),
  };
}

function stationWay({ httpUrl }: Sluice): Way {
  return {
    name: "station",
    // A frame that is no JSON ends its connection: each has one of its own.
    send: (topic, payload) =>
      new Promise<void>((resolve) => {
        const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
        const head = `{"type":"reading","id":1,"topic":${JSON.stringify(topic)},"payload":`;
        socket.onopen = () => {
          socket.send('{"type":"hello","station":"__proto__"}');
          socket.send(`${head}${payload}}`);
        };
        socket.onmessage = ({ data }) => String(data).includes('"ack"') && socket.close();
        socket.onclose = () => resolve();
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function httpWay({ httpUrl }: Sluice, type: string): Way {
  return {
    name: `HTTP, ${type}`,
    async send(topic, payload) {
      const answer = await fetch(`${httpUrl}/api/readings?topic=${encodeURIComponent(topic)}`, {
        method: "POST",
        headers: { "content-type": type },
        body: payload,
      });
      await answer.body?.cancel();
      assert.ok(answer.status < 500, String(answer.status));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function ways(sluice: Sluice): Promise<readonly Way[]> {
  return [
    await mqttWay(sluice),
    await webSocketWay(sluice),
    httpWay(sluice, "application/json"),
    httpWay(sluice, "application/x-ndjson"),
    stationWay(sluice),
  ];
}

const bombs: Readonly<Record<string, string>> = {
  "arrays without end": `{"x":${"[".repeat(200_000)}`,
  "objects without end": '{"x":'.repeat(40_000),
  "a number of 200,000 digits": `{"x":${"9".repeat(200_000)}}`,
  "a fraction of 200,000 digits": `{"x":0.${"1".repeat(200_000)}e-5}`,
  "an exponent of 100,000 digits": `{"x":1e${"9".repeat(100_000)}}`,
  "a key of 200,000 characters": `{"${"k".repeat(200_000)}":1}`,
  "20,000 keys": `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(",")}}`,
  "one key 20,000 times": `{${'"x":1,'.repeat(20_000)}"x":1}`,
  "escapes only": `{"s":"${"\\u0000".repeat(40_000)}","x":1}`,
  "backslashes only": `{"s":"${"\\\\".repeat(100_000)}`,
  "spaces only": `${" ".repeat(200_000)}{"x":1}`,
  "JavaScript's own names": '{"__proto__":{"x":1},"constructor":{"prototype":1},"toString":3}',
};

Deno.test("no payload takes more of anybody than its own turn, on no way", async (t) => {
  const slow = {
    name: "slow",
    topic: "slow/{id}",
    measurement: "slow",
    schema: {
      type: "object",
      properties: { s: { type: "string", pattern: "^(a+)+$" }, t: { pattern: "(x|xx)*y$" } },
    },
  };
  await using sluice = await startSluice({ config: { routes: [slow], shards: 2 } });
  using bystanders = await Bystanders.join(sluice);
  const all = await ways(sluice);
  for (const way of all) {
    await t.step(`JSON that is deep, long or odd: ${way.name}`, async () => {
      for (const payload of Object.values(bombs)) await way.send("bomb/one", payload);
    });
    await t.step(`patterns that would backtrack for ever: ${way.name}`, async () => {
      // By backtracking these take 2^50000 steps; the shard would be given up after 5 s.
      await way.send("slow/one", `{"s":"${"a".repeat(50_000)}!","v":1}`);
      await way.send("slow/one", `{"t":"${"x".repeat(50_000)}","v":1}`);
    });
  }
  for (const way of all) await way[Symbol.asyncDispose]();
  assert.equal(Reflect.get({}, "x"), undefined);
  const dead = (reason: string) => settledFor(sluice.httpUrl, "dead_lettered", reason);
  assert.equal(await dead("schema"), 2 * all.length);
  // HTTP and stations refuse what is no JSON before it is a reading.
  assert.ok(await dead("too_deep") >= 2);
  assert.ok(await dead("too_many_fields") >= 2);
  await bystanders.undisturbed();
});

/** A point of its own in line protocol, behind whatever ends the name it is put into. */
const injected = "evil,evil=1 evil=666 1574729660000000000";
const breakouts = [
  `x value=666\n${injected}\n`,
  `x\\\n${injected}\n`,
  `x" value=666\n${injected}\n"`,
  `x,evil=1 evil=666`,
  "x\\,evil=1",
  `x\r\n${injected}\r\n`,
  `x\u2028${injected}`,
  `#${injected}`,
];

testWith(
  ["victoria-metrics"],
  "no name becomes a point, a tag or a field of its own in the real store",
  async () => {
    await using store = await startVictoriaMetrics();
    const tagged = {
      name: "tagged",
      topic: "tagged/{name}",
      measurement: "{name}",
      tags: { name: "{name}", fixed: "a b,c=d" },
      fields: { include: ["*"], strings: "text", booleans: "boolean" },
    };
    await using sluice = await startSluice({
      config: { influx: { url: store.url }, routes: [tagged], shards: 1 },
    });
    const { httpUrl } = sluice;
    const all = await ways(sluice);
    for (const text of breakouts) {
      const json = JSON.stringify(text);
      const topic = text.replaceAll(/[#+/]/g, "_");
      for (const way of all) {
        await way.send(`${topic}/s`, '{"m":1}');
        await way.send(`l/${topic}`, '{"m":1}');
        await way.send("l/s", `{${json}:1}`);
        await way.send(`device/${topic}`, JSON.stringify({ uuid: topic, value: 1, [text]: 2 }));
        await way.send(`tagged/${topic}`, JSON.stringify({ [text]: 1, s: text, b: true }));
        await way.send(`${topic}/${topic}/position`, '{"lat":1,"lon":2}');
      }
      const post = async (body: string, type: string) => {
        const headers = { "content-type": type };
        const answer = await fetch(`${httpUrl}/api/readings`, { method: "POST", headers, body });
        await answer.body?.cancel();
        assert.ok(answer.status < 500, String(answer.status));
      };
      await post(JSON.stringify({ name: text, temperature: 1 }), "application/json");
      await post(JSON.stringify({ uuid: text, value: 1 }), "application/json");
      await post(
        JSON.stringify({ fleet: text, vehicle: text, lat: 1, lon: 1 }),
        "application/json",
      );
    }
    for (const way of all) await way[Symbol.asyncDispose]();
    assertConserved(await settledBooks(httpUrl));
    const query = new URLSearchParams({ "match[]": '{__name__!=""}' });
    let exported = "";
    await until("the store shows the last of them", async () => {
      await (await fetch(`${store.url}/internal/force_flush`)).body?.cancel();
      exported = await (await fetch(`${store.url}/api/v1/export?${query}`)).text();
      return exported.includes(`s.${breakouts.at(-1)}_value`);
    });
    const series = exported.trim().split("\n").map((line): unknown => JSON.parse(line));
    for (const one of series) {
      assert.ok(typeof one === "object" && one !== null && "metric" in one && "values" in one);
      const { metric, values } = one;
      assert.ok(typeof metric === "object" && metric !== null && Array.isArray(values));
      assert.equal("evil" in metric, false, JSON.stringify(metric));
      assert.doesNotMatch(String(Reflect.get(metric, "__name__")), /^evil/);
      assert.ok(values.every((value) => value !== 666), JSON.stringify(one));
    }
  },
);
