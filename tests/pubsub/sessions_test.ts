/** Sessions that outlive their connections, over two shards, kill -9 and restarts. */
import assert from "node:assert/strict";
import { connect as open, type IClientOptions, type MqttClient } from "mqtt";
import { type Sluice, startSluice, until } from "../support/sluice.ts";

const config = { shards: 2 };

/** A payload that the default route takes, too. */
const reading = (n: number): string => JSON.stringify({ n });
const numberOf = (payload: Uint8Array): number =>
  Number(JSON.parse(new TextDecoder().decode(payload)).n);

interface Client {
  readonly mqtt: MqttClient;
  readonly heard: number[];
  readonly present: boolean;
}

async function connect(
  { mqttUrl }: Sluice,
  clientId: string,
  protocolVersion: 4 | 5,
  options: IClientOptions = {},
): Promise<Client> {
  const heard: number[] = [];
  const mqtt = open(mqttUrl, {
    clientId,
    protocolVersion,
    clean: false,
    reconnectPeriod: 0,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    ...options,
  });
  // Before it is connected: what waits comes right behind CONNACK.
  mqtt.on("message", (_topic, payload) => heard.push(numberOf(payload)));
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  mqtt.once("connect", ({ sessionPresent }) => resolve(sessionPresent));
  mqtt.once("error", reject);
  return { mqtt, heard, present: await promise };
}

async function end(...clients: readonly { readonly mqtt: MqttClient }[]): Promise<void> {
  for (const { mqtt } of clients) await mqtt.endAsync();
  // mqtt.js closes its stores in timers of 0 ms that nothing waits for.
  await new Promise<void>((resolve) => setTimeout(resolve));
}

Deno.test("what came while a client was away waits for it, over a restart and kill -9", async () => {
  await using sluice = await startSluice({ config });
  for (const version of [4, 5] as const) {
    const id = `away-${version}`;
    const first = await connect(sluice, id, version);
    await first.mqtt.subscribeAsync(`${id}/#`, { qos: 2 });
    await end(first);
    const publisher = await connect(sluice, `${id}-publisher`, version, { clean: true });
    const sent: number[] = [];
    for (let i = 0; i < 60; i++) {
      sent.push(i);
      await publisher.mqtt.publishAsync(`${id}/x`, reading(i), { qos: (1 + i % 2) as 1 | 2 });
      if (i === 20) await publisher.mqtt.publishAsync(`${id}/x`, reading(-1), { qos: 0 });
    }
    await sluice.process.kill();
    publisher.mqtt.end(true);
    await sluice.process.restart();
    const back = await connect(sluice, id, version);
    assert.equal(back.present, true);
    await until("all that waited", () => back.heard.length >= sent.length);
    // mqtt.js gives a QoS 2 message out with its PUBREL: each QoS has an order of its own.
    for (const qos of [1, 2]) {
      const ofIt = (n: number): boolean => 1 + n % 2 === qos;
      assert.deepEqual(back.heard.filter(ofIt), sent.filter(ofIt));
    }
    await end(back);
    const again = await connect(sluice, id, version);
    await again.mqtt.publishAsync(`${id}/y`, reading(99), { qos: 1 });
    await until("it goes on", () => again.heard.length === 1);
    assert.deepEqual(again.heard, [99]);
    await end(again);
    // A clean start forgets all of it.
    const clean = await connect(sluice, id, version, { clean: true, properties: {} });
    await clean.mqtt.publishAsync(`${id}/y`, reading(100), { qos: 1 });
    await end(clean);
    const empty = await connect(sluice, id, version);
    assert.equal(empty.present, false);
    await empty.mqtt.publishAsync(`${id}/y`, reading(100), { qos: 1 });
    assert.deepEqual(empty.heard, []);
    await end(empty);
  }
});

Deno.test("kill -9 at random moments: QoS 1 at least once, QoS 2 exactly once, each in order", async () => {
  await using sluice = await startSluice({ config });
  const count = 300;
  const heard = { one: new Array<number>(), two: new Array<number>() };
  // mqtt.js keeps what it has not finished in its store, and connects again.
  const durable = (clientId: string, protocolVersion: 4 | 5): MqttClient => {
    const client = open(sluice.mqttUrl, {
      clientId,
      protocolVersion,
      clean: false,
      reconnectPeriod: 50,
      resubscribe: false,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    });
    client.on("error", () => {});
    return client;
  };
  const clients = [
    durable("one", 4),
    durable("two", 5),
    durable("from-1", 5),
    durable("from-2", 4),
  ];
  const [one, two, from1, from2] = clients as [MqttClient, MqttClient, MqttClient, MqttClient];
  one.on("message", (_topic, payload) => heard.one.push(numberOf(payload)));
  two.on("message", (_topic, payload) => heard.two.push(numberOf(payload)));
  await one.subscribeAsync("kill/1", { qos: 1 });
  await two.subscribeAsync("kill/2", { qos: 2 });
  const send = async (client: MqttClient, topic: string, qos: 1 | 2): Promise<void> => {
    for (let i = 0; i < count; i++) {
      // mqtt.js refuses what is published in the moment it comes back: it never left the client.
      while (!await client.publishAsync(topic, reading(i), { qos }).then(() => true, () => false));
      if (i % 10 === 9) await new Promise((done) => setTimeout(done, 40));
    }
  };
  const sending = Promise.all([send(from1, "kill/1", 1), send(from2, "kill/2", 2)]);
  for (let kills = 0; kills < 4; kills++) {
    await new Promise((done) => setTimeout(done, 100 + Math.random() * 400));
    await sluice.process.kill();
    await sluice.process.restart();
  }
  await sending;
  await until("all of QoS 1", () => new Set(heard.one).size === count);
  await until("all of QoS 2", () => heard.two.length >= count);
  assert.deepEqual(heard.two, Array.from({ length: count }, (_, i) => i));
  const firsts = [...new Set(heard.one)];
  assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b));
  await end(...clients.map((mqtt) => ({ mqtt })));
});
