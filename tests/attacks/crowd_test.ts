/**
 * Very many at once: connections that say nothing, and retained topics.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Bystanders } from "../support/input.ts";
import { publishPacket, RawClient } from "../support/raw_mqtt.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";
import { Stalls } from "../support/stalls.ts";

const mib = 1024 * 1024;
/** What takes seconds by itself takes longer beside others. */
const busyMs = 120_000;

Deno.test("5,000 connections that say nothing keep nobody out, and are ended", async () => {
  await using sluice = await startSluice();
  const { mqttPort, httpUrl } = sluice;
  const before = await sluice.process.residentBytes();
  const idle: Deno.TcpConn[] = [];
  try {
    while (idle.length < 5_000) {
      const some = Array.from(
        { length: 250 },
        () => Deno.connect({ hostname: "127.0.0.1", port: mqttPort }),
      );
      idle.push(...await Promise.all(some));
    }
    // A good client comes in within a second; the deadline leaves room for a machine that is busy.
    const startMs = performance.now();
    using stalls = new Stalls();
    using good = await RawClient.connect(mqttPort, 5);
    assert.equal(await good.publish("good/one", '{"x":1}'), 0);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 5_000 + stalls.lostMs(), `${tookMs} ms`);
    const grown = await sluice.process.residentBytes() - before;
    assert.ok(grown < 200 * mib, `${Math.round(grown / mib)} MiB more`);
    await until("the silent ones are ended", async () => {
      const sum = await metrics(httpUrl);
      return sum("sluice_mqtt_connections_ended_connect_timeout_total") === 5_000;
    });
    assert.equal(await good.publish("good/one", '{"x":2}'), 0);
  } finally {
    for (const connection of idle) connection.close();
  }
});

Deno.test("100,000 retained topics: memory is bounded, and others do not notice", async () => {
  const topics = 100_000;
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const before = await sluice.process.residentBytes();
  using flood = await RawClient.connect(sluice.mqttPort, 5);
  for (let sent = 0; sent < topics;) {
    const some: Uint8Array[] = [];
    for (; sent < topics && some.length < 500; sent++) {
      // QoS 0 with the retain flag.
      const bytes = publishPacket(5, { topic: `flood/x/${sent}`, payload: "1" });
      bytes[0]! |= 1;
      some.push(bytes);
    }
    await flood.send(new Uint8Array(await new Blob(some as BlobPart[]).arrayBuffer()));
  }
  await until("all are kept", async () => {
    const sum = await metrics(sluice.httpUrl);
    return sum("sluice_retained_messages") + sum("sluice_pubsub_retained_refused_total") >= topics;
  }, busyMs);
  await bystanders.undisturbed();

  // Who subscribes to everything, and does not read, gets what its socket takes.
  using greedy = await RawClient.connect(sluice.mqttPort, 5);
  await greedy.send(new Uint8Array([0x82, 7, 0, 1, 0, 0, 1, 0x23, 0]));
  using good = await RawClient.connect(sluice.mqttPort, 5);
  for (let i = 0; i < 20; i++) assert.equal(await good.publish("good/other", `{"x":${i}}`), 0);
  const grown = await sluice.process.residentBytes() - before;
  assert.ok(grown < 300 * mib, `${Math.round(grown / mib)} MiB more`);
  // It reads now, and gets them.
  let publishes = 0;
  while (publishes < topics) {
    const packet = await greedy.read();
    assert.ok(packet !== undefined, `ended after ${publishes}`);
    if (packet[0]! >> 4 === 3) publishes++;
  }
  await bystanders.undisturbed();
});
