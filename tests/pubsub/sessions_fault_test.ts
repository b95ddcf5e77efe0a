/** Sessions that outlive their connections while a shard, the server or their file goes wrong. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { connect, durable, end, publishSurely, reading } from "../support/kept_clients.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { metrics, type Sluice, startSluice, trapRoute, until } from "../support/sluice.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

Deno.test("a shard's Worker crashes again and again: sessions move or come back, with all that is theirs", async () => {
  await using sluice = await startSluice({ config: { shards: 2 }, routes: [trapRoute] });
  // Several, so that each shard has some of them.
  const away = numbers(3).map((i) => `away-${i}`);
  for (const id of away) {
    const client = await connect(sluice, id, 5);
    await client.mqtt.subscribeAsync("crash/+", { qos: 2 });
    await end(client);
  }
  const there = numbers(4).map((i) => durable(sluice, `there-${i}`, i % 2 === 0 ? 4 : 5));
  for (const { mqtt } of there) await mqtt.subscribeAsync("crash/+", { qos: 2 });
  const publishers = numbers(2).map((i) => durable(sluice, `publisher-${i}`, 5));
  const count = 120;
  const sending = Promise.all(publishers.map(async (publisher, i) => {
    for (let n = i; n < count; n += 2) {
      await publishSurely(publisher, `crash/${i}`, n, (1 + i) as 1 | 2);
      await new Promise((done) => setTimeout(done, 10));
    }
  }));
  const crashes = () => sluice.process.log.split("a Worker failed and is started anew").length - 1;
  for (let crashed = 0; crashed < 2; crashed++) {
    using client = await RawClient.connect(sluice.mqttPort);
    const trap = client.publish(`trap/trap${crashed}`, "crash").catch(() => {});
    await until("the crash", () => crashes() > crashed);
    client[Symbol.dispose]();
    await trap;
  }
  await sending;
  const clients = [...there, ...await Promise.all(away.map((id) => connect(sluice, id, 5)))];
  for (const { heard } of clients) {
    await until("all came", () => new Set(heard).size === count);
    const sent = (i: number) => numbers(count).filter((n) => n % 2 === i);
    const came = (i: number) => heard.filter((n) => n % 2 === i);
    assert.deepEqual(came(1), sent(1), "QoS 2: once each, in order");
    assert.deepEqual([...new Set(came(0))], sent(0), "QoS 1: in order");
  }
  await end(...clients, ...publishers);
});

Deno.test("their file fails: no publisher is acknowledged, the log says why, and all goes on by itself", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const away = await connect(sluice, "away", 5);
  await away.mqtt.subscribeAsync("full/x", { qos: 1 });
  await end(away);
  const unconcerned = await connect(sluice, "unconcerned", 5, { clean: true });
  const publisher = durable(sluice, "publisher", 5);
  await publishSurely(publisher, "full/x", 0, 1);
  using file = new DatabaseSync(`${sluice.dataDir}/sessions.db`);
  file.exec("PRAGMA busy_timeout = 10000"); // Sluice writes to it all the time.
  file.exec(`CREATE TRIGGER full BEFORE INSERT ON queue
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
  let acknowledged = false;
  const sent = publishSurely(publisher, "full/x", 1, 1).then(() => acknowledged = true);
  await until("the log", () => sluice.process.log.includes("database or disk is full"));
  await unconcerned.mqtt.publishAsync("full/other", reading(0), { qos: 1 });
  assert.equal(acknowledged, false);
  file.exec("DROP TRIGGER full");
  await sent;
  assert.match(sluice.process.log, /cannot use the file of kept sessions.*not acknowledged/);
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_sessions_failed_total") > 0);
  assert.ok(sum("sluice_mqtt_connections_ended_not_kept_total") > 0);
  const back = await connect(sluice, "away", 5);
  await until("all that was acknowledged", () => new Set(back.heard).size === 2);
  assert.deepEqual([...new Set(back.heard)], [0, 1]);
  await end(back, unconcerned, publisher);
});

Deno.test("kill -9 takes connections along: their wills are sent after the restart", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const listener = await connect(sluice, "listener", 5);
  await listener.mqtt.subscribeAsync("gone/+", { qos: 1 });
  await end(listener);
  const will = (n: number) =>
    ({ topic: "gone/x", payload: reading(n), qos: 1, retain: false }) as const;
  const clients = await Promise.all([
    connect(sluice, "gone-1", 5, { will: will(1) }),
    connect(sluice, "gone-2", 4, { will: will(2) }),
    connect(sluice, "back", 5, { will: will(3) }),
  ]);
  const polite = await connect(sluice, "polite", 5, { will: will(4) });
  await end(polite);
  await sluice.process.kill();
  for (const { mqtt } of clients) mqtt.end(true);
  await sluice.process.restart();
  const again = await connect(sluice, "listener", 5);
  await until("all wills", () => again.heard.length >= 3);
  assert.deepEqual(again.heard.toSorted(), [1, 2, 3]);
  await end(again);
});

/** `mosquitto_sub -c` until it has so many messages; gives what it printed. */
async function mosquittoSub(sluice: Sluice, count: number): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(findProgram("mosquitto_sub"), {
    args: [
      ...["-h", "127.0.0.1", "-p", `${sluice.mqttPort}`, "-i", "sub", "-c", "-q", "2"],
      ...["-t", "sub/x", "-C", `${count}`, "-W", "90"],
    ],
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}

testWith(
  ["mosquitto_sub"],
  "mosquitto_sub -c gets what came while it was away, over kill -9",
  async () => {
    await using sluice = await startSluice({ config: { shards: 2 } });
    const publisher = durable(sluice, "publisher", 4);
    const first = mosquittoSub(sluice, 1);
    await until("it has subscribed", async () => {
      return (await metrics(sluice.httpUrl))("sluice_pubsub_subscriptions") === 1;
    });
    await publishSurely(publisher, "sub/x", 0, 2);
    assert.deepEqual(await first, [reading(0)]);
    for (const n of [1, 2]) await publishSurely(publisher, "sub/x", n, 2);
    await sluice.process.kill();
    await sluice.process.restart();
    for (const n of [3, 4]) await publishSurely(publisher, "sub/x", n, 2);
    assert.deepEqual(await mosquittoSub(sluice, 4), [1, 2, 3, 4].map(reading));
    await end(publisher);
  },
);
