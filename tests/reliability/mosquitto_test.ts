/**
 * Fed by a broker, over persistent sessions: the broker restarts, Sluice is killed, the broker is
 * killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ServerProcess } from "../../gateways/testing/server_process.ts";
import { startMosquitto, startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { readiness } from "../support/api.ts";
import { taking } from "../support/load_fleet.ts";
import { pause, startLoad } from "../support/load_run.ts";
import {
  assertConserved,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";

const flags = { model: "bench", connections: 5, rate: 1_000, window: 50 };

/** Sluice between the broker and the store, subscribed. */
async function startFed(broker: ServerProcess, store: ServerProcess, qos = 1): Promise<Sluice> {
  const sluice = await startSluice({
    config: { broker: { urls: [broker.url], qos }, influx: { url: store.url } },
  });
  await untilSubscribed(sluice);
  return sluice;
}

async function untilSubscribed(sluice: Sluice): Promise<void> {
  await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
}

for (const qos of [1, 2]) {
  testWith(
    ["mosquitto", "victoria-metrics"],
    `Mosquitto restarted under load, and Sluice killed beside it, lose nothing, QoS ${qos}`,
    async () => {
      await using broker = await startMosquitto([
        "persistence true",
        "max_inflight_messages 0", // Else it throws out whoever sends more than 20 with QoS 2.
      ]);
      await using store = await startVictoriaMetrics();
      await using sluice = await startFed(broker, store, qos);
      await using load = await startLoad(broker.url, { ...flags, qos, "duration-s": 600 });
      for (let restarts = 0; restarts < 3; restarts++) {
        await taking(sluice, 700);
        await broker.stop();
        await pause(500);
        await broker.restart();
        await taking(sluice, 700);
        await sluice.process.kill();
        await sluice.process.restart();
      }
      load.stop();
      const report = await load.end();
      assert.ok(Number(report.reconnects) >= 3, JSON.stringify(report));
      // Verify waits for what the broker still holds.
      await load.verify("victoriametrics", store.url);
      assertConserved(await settledBooks(sluice.httpUrl));
    },
  );
}

testWith(
  ["mosquitto", "victoria-metrics"],
  "readings without a time of their own are not doubled when Sluice is killed and the broker sends them again",
  async () => {
    await using broker = await startMosquitto(["persistence true"]);
    await using store = await startVictoriaMetrics();
    await using sluice = await startFed(broker, store);
    await using load = await startLoad(broker.url, {
      ...flags,
      model: "arrival",
      "duration-s": 600, // As long as this takes.
    });
    for (let kills = 0; kills < 3; kills++) {
      await taking(sluice, 700);
      await sluice.process.kill();
      await sluice.process.restart();
    }
    load.stop();
    await load.end();
    // What the broker still held came in after the run.
    await load.verify("victoriametrics", store.url, { "late-s": 60 });
    assertConserved(await settledBooks(sluice.httpUrl));
  },
);

testWith(
  ["mosquitto", "victoria-metrics"],
  "Mosquitto killed: what it had handed over is stored, and it is found again",
  async () => {
    await using broker = await startMosquitto(["persistence true"]);
    await using store = await startVictoriaMetrics();
    await using sluice = await startFed(broker, store);
    await using before = await startLoad(broker.url, { ...flags, count: 2_000 });
    await before.end();
    await before.verify("victoriametrics", store.url);
    await broker.kill();
    await until("not ready", async () => !(await readiness(sluice.httpUrl)).ready);
    await broker.restart();
    // It has forgotten the session: what is published before Sluice is back is for nobody.
    await untilSubscribed(sluice);
    await using after = await startLoad(broker.url, { ...flags, count: 2_000 });
    await after.end();
    await after.verify("victoriametrics", store.url);
    await before.verify("victoriametrics", store.url);
    assertConserved(await settledBooks(sluice.httpUrl));
  },
);
