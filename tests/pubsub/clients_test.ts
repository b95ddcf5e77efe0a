/** Subscribers and publishers of other makers, spread over two shards by the kernel. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { publish } from "../support/input.ts";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { metrics, type Sluice, startSluice, until } from "../support/sluice.ts";

const deadlineMs = 90_000;

interface Heard {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly ids: number | number[] | undefined;
}

/** A client of mqtt.js and what it has heard. */
interface Client {
  readonly mqtt: MqttClient;
  readonly heard: Heard[];
}

async function connect(
  { mqttUrl }: Sluice,
  protocolVersion: 4 | 5,
  options: IClientOptions = {},
): Promise<Client> {
  const mqtt = await connectAsync(mqttUrl, { protocolVersion, reconnectPeriod: 0, ...options });
  const heard: Heard[] = [];
  mqtt.on("message", (topic, payload, { qos, retain, properties }) => {
    const ids = properties?.subscriptionIdentifier;
    heard.push({ topic, payload: payload.toString(), qos, retain, ids });
  });
  return { mqtt, heard };
}

async function end(clients: readonly Client[]): Promise<void> {
  for (const { mqtt } of clients) await mqtt.endAsync();
  // mqtt.js closes its stores in timers of 0 ms that nothing waits for.
  await new Promise<void>((resolve) => setTimeout(resolve));
}

/** `mosquitto_sub` or `mosquitto_rr` until it ends by itself; gives what it printed. */
async function listen(
  program: "mosquitto_sub" | "mosquitto_rr",
  { mqttPort }: Sluice,
  args: readonly string[],
): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(findProgram(program), {
    args: ["-h", "127.0.0.1", "-p", String(mqttPort), "-W", String(deadlineMs / 1_000), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.equal(code, 0, `${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim().split("\n");
}

async function subscriptions({ httpUrl }: Sluice): Promise<number> {
  return (await metrics(httpUrl))("sluice_pubsub_subscriptions");
}

/** Cases that share one Sluice of two shards: to start one takes seconds of CPU. */
type Cases = Readonly<Record<string, (sluice: Sluice) => Promise<void>>>;

async function runAll(t: Deno.TestContext, cases: Cases): Promise<void> {
  await using sluice = await startSluice({ config: { shards: 2 } });
  for (const [name, run] of Object.entries(cases)) await t.step(name, () => run(sluice));
}

/** What ends the connection of a client: DISCONNECT, or `undefined` without one. */
async function ending(client: RawClient): Promise<number | undefined> {
  const packet = await client.read();
  return packet?.[0] === 0x20 ? ending(client) : packet?.[0];
}

const ofOthers: Cases = {
  "mqtt.js 3.1.1 and 5, all to all, with every QoS, in order": async (sluice) => {
    const clients = await Promise.all(
      // So many that the kernel, which deals connections out by hash, gives some to each shard.
      Array.from({ length: 16 }, (_, i) => connect(sluice, i % 2 === 0 ? 4 : 5)),
    );
    for (const { mqtt } of clients) await mqtt.subscribeAsync("all/+/x", { qos: 2 });
    await Promise.all(clients.map(async ({ mqtt }, who) => {
      for (let i = 0; i < 30; i++) {
        await mqtt.publishAsync(`all/${who}/x`, `${i}`, { qos: (who % 3) as 0 | 1 | 2 });
      }
    }));
    await until(
      "everybody has heard everybody",
      () => clients.every(({ heard }) => heard.length === 480),
    );
    for (const { heard } of clients) {
      for (const who of clients.keys()) {
        const from = heard.filter(({ topic }) => topic === `all/${who}/x`);
        assert.deepEqual(from.map(({ payload }) => Number(payload)), [...Array(30).keys()]);
        assert.ok(from.every(({ qos, retain }) => qos === who % 3 && !retain));
      }
    }
    assert.ok(
      (await metrics(sluice.httpUrl))("sluice_pubsub_forwarded_total") > 0,
      "one shard only",
    );
    await end(clients);
    await until("nothing is left of them", async () => await subscriptions(sluice) === 0);
  },

  "what MQTT 5 adds: identifiers, no local, properties, shares, reason codes": async (sluice) => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(sluice, 5)));
    const [one, two, ...members] = clients as [Client, Client, ...Client[]];
    await one.mqtt.subscribeAsync("v5/#", { qos: 1, properties: { subscriptionIdentifier: 3 } });
    await one.mqtt.subscribeAsync("v5/+/b", { qos: 2, properties: { subscriptionIdentifier: 4 } });
    await two.mqtt.subscribeAsync("v5/#", { qos: 0, nl: true, rap: true });
    for (const { mqtt } of members) await mqtt.subscribeAsync("$share/group/v5/#", { qos: 1 });

    let properties: unknown;
    one.mqtt.once("message", (_topic, _payload, packet) => properties = packet.properties);
    const sent = {
      contentType: "text/plain",
      responseTopic: "v5/answer",
      correlationData: Buffer.from([1, 2]),
      userProperties: { key: ["a", "b"] },
      messageExpiryInterval: 100,
    };
    await two.mqtt.publishAsync("v5/a/b", "x", { qos: 2, retain: true, properties: sent });
    await until("the message is there", () => one.heard.length === 1);
    const [heard] = one.heard;
    assert.deepEqual([heard?.qos, heard?.retain], [2, false]);
    assert.deepEqual([heard?.ids].flat().toSorted(), [3, 4]);
    const { subscriptionIdentifier: _ids, ...got } = properties as Record<string, unknown>;
    assert.deepEqual({ ...got }, { ...sent, userProperties: got.userProperties });
    assert.deepEqual({ ...got.userProperties as object }, sent.userProperties);

    await one.mqtt.publishAsync("v5/x/c", "y", { qos: 1, retain: true });
    await until("the other has heard", () => two.heard.length === 1);
    assert.deepEqual(two.heard.map(({ payload, retain }) => [payload, retain]), [["y", true]]);
    for (let i = 0; i < 38; i++) await two.mqtt.publishAsync("v5/x/s", `${i}`, { qos: 1 });
    const shared = () => members.map(({ heard }) => heard.length);
    await until("all are shared out", () => shared().reduce((sum, n) => sum + n) === 40);
    // Each publishing shard takes turns of its own.
    assert.ok(shared().every((count) => count >= 8 && count <= 12), String(shared()));

    // Two go without a word, and have acknowledged nothing since.
    const [gone, staying] = [members.slice(0, 2), members.slice(2)];
    for (const { mqtt } of gone) mqtt.handleMessage = () => {};
    for (const { heard } of staying) heard.length = 0;
    const left = Array.from({ length: 8 }, (_, i) => `left ${i}`);
    for (const payload of left) await two.mqtt.publishAsync("v5/x/s", payload, { qos: 1 });
    for (const { mqtt } of gone) await mqtt.endAsync(true);
    const has = () => staying.flatMap(({ heard }) => heard.map(({ payload }) => payload));
    await until("the others have what they left", () => has().length === left.length);
    assert.deepEqual(has().toSorted(), left);
    assert.ok((await metrics(sluice.httpUrl))("sluice_pubsub_handed_over_total") > 0);
    await end([one, two, ...staying]);
  },

  "a topic without a route is not refused when somebody listens": async (sluice) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(sluice, 4)));
    using publisher = await RawClient.connect(sluice.mqttPort, 5);
    assert.equal(await publisher.publish("no/route/here", "x"), 0x10);
    for (const { mqtt } of clients) await mqtt.subscribeAsync("no/#");
    assert.equal(await publisher.publish("no/route/here", "not json"), 0);
    await until("all have heard", () => clients.every(({ heard }) => heard.length === 1));
    for (const { mqtt } of clients) await mqtt.unsubscribeAsync("no/#");
    // The other shards hear of it a moment later.
    await until(
      "nobody listens",
      async () => await publisher.publish("no/route/here", "x") === 0x10,
    );
    await end(clients);
  },

  "a will reaches subscribers": async (sluice) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(sluice, 5)));
    for (const { mqtt } of clients) await mqtt.subscribeAsync("gone/+", { qos: 1 });
    const will = { topic: "gone/x", payload: Buffer.from("bye"), qos: 1, retain: true } as const;
    const dying = await connect(sluice, 4, { will });
    dying.mqtt.stream.destroy();
    await until("all know", () => clients.every(({ heard }) => heard.length === 1));
    const late = await connect(sluice, 4);
    await late.mqtt.subscribeAsync("gone/#");
    await until("and who comes late", () => late.heard.length === 1);
    assert.deepEqual([late.heard[0]?.payload, late.heard[0]?.retain], ["bye", true]);
    await end([...clients, dying, late]);
  },

  "a client id has one session, whatever shards its connections come to": async (sluice) => {
    // So many that each shard has some of them.
    for (let round = 0, before: RawClient | undefined; round < 16; round++) {
      const client = await RawClient.dial(sluice.mqttPort, 5);
      await client.send(connectPacket(5, "the same"));
      assert.equal((await client.read())?.[0], 0x20, "CONNACK");
      if (before !== undefined) {
        const packet = await before.read();
        assert.deepEqual([packet?.[0], packet?.[2]], [0xe0, 0x8e], "DISCONNECT: taken over");
        before[Symbol.dispose]();
      }
      before = client;
      if (round === 15) client[Symbol.dispose]();
    }
  },

  "of connections with one client id in the same moment exactly one stays": async (sluice) => {
    // So many that both shards let one in at the same time.
    for (let round = 0; round < 30; round++) {
      const dials = Array.from({ length: 4 }, () => RawClient.dial(sluice.mqttPort, 5));
      const clients = await Promise.all(dials);
      await Promise.all(clients.map((client) => client.send(connectPacket(5, `one-${round}`))));
      const ended: Promise<unknown>[] = clients.map(ending);
      while (clients.length > 1) {
        const at = await Promise.race(ended.map((end, i) => end.then(() => i)));
        clients.splice(at, 1)[0]![Symbol.dispose]();
        ended.splice(at, 1);
      }
      const pingreq = new Uint8Array([0xc0, 0]);
      await clients[0]!.send(pingreq);
      assert.equal(await ended[0], 0xd0, "PINGRESP: the last one stays");
      clients[0]![Symbol.dispose]();
    }
  },
};

Deno.test("clients of other makers over two shards", (t) => runAll(t, ofOthers));

const ofMosquitto: Cases = {
  "mosquitto_sub hears mosquitto_pub": async (sluice) => {
    const versions = ["mqttv31", "mqttv311", "mqttv5"];
    const ends = versions.flatMap((version) =>
      [0, 1, 2].map((qos) =>
        listen("mosquitto_sub", sluice, [
          ...["-V", version, "-q", String(qos), "-C", "3", "-t", "up/+", "-F", "%t %q %p"],
        ])
      )
    );
    await until("all listen", async () => await subscriptions(sluice) === 9);
    for (const qos of [0, 1, 2] as const) await publish(sluice.mqttPort, `up/${qos}`, "hello", qos);
    for (const [i, lines] of (await Promise.all(ends)).entries()) {
      const granted = i % 3;
      assert.deepEqual(
        lines.toSorted(),
        [0, 1, 2].map((qos) => `up/${qos} ${Math.min(qos, granted)} hello`),
      );
    }
  },

  "mosquitto_rr asks and is answered": async (sluice) => {
    const server = await connect(sluice, 5);
    await server.mqtt.subscribeAsync("ask");
    server.mqtt.on("message", (_topic, payload, { properties }) => {
      server.mqtt.publish(properties?.responseTopic ?? "lost", `${payload} yourself`);
    });
    const asks = Array.from(
      { length: 6 },
      (_, i) =>
        listen("mosquitto_rr", sluice, ["-V", "5", "-t", "ask", "-e", `answer/${i}`, "-m", `${i}`]),
    );
    const answers = (await Promise.all(asks)).flat();
    assert.deepEqual(answers, [...Array(6).keys()].map((i) => `${i} yourself`));
    await end([server]);
  },
};

testWith(
  ["mosquitto_sub", "mosquitto_rr", "mosquitto_pub"],
  "Mosquitto's clients over two shards",
  (t) => runAll(t, ofMosquitto),
);
