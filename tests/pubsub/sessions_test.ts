/** Sessions that outlive their connections, over two shards, kill -9 and restarts. */
import assert from "node:assert/strict";
import { connect, durable, end, publishSurely, reading } from "../support/kept_clients.ts";
import { startSluice, until } from "../support/sluice.ts";

const config = { shards: 2 };

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
  const one = durable(sluice, "one", 4);
  const two = durable(sluice, "two", 5);
  const publishers = [durable(sluice, "from-1", 5), durable(sluice, "from-2", 4)] as const;
  await one.mqtt.subscribeAsync("kill/1", { qos: 1 });
  await two.mqtt.subscribeAsync("kill/2", { qos: 2 });
  const send = async (qos: 1 | 2): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await publishSurely(publishers[qos - 1]!, `kill/${qos}`, i, qos);
      if (i % 10 === 9) await new Promise((done) => setTimeout(done, 40));
    }
  };
  const sending = Promise.all([send(1), send(2)]);
  for (let kills = 0; kills < 4; kills++) {
    await new Promise((done) => setTimeout(done, 100 + Math.random() * 400));
    await sluice.process.kill();
    await sluice.process.restart();
  }
  await sending;
  await until("all of QoS 1", () => new Set(one.heard).size === count);
  await until("all of QoS 2", () => two.heard.length >= count);
  assert.deepEqual(two.heard, Array.from({ length: count }, (_, i) => i));
  const firsts = [...new Set(one.heard)];
  assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b));
  await end(one, two, ...publishers);
});
