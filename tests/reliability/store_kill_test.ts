/**
 * A store whose yes is not yet durable: VictoriaMetrics answers 204 before its data is on disk.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { startFleet } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import {
  assertConserved,
  books,
  metrics,
  settledBooks,
  startSluice,
  until,
} from "../support/sluice.ts";

const load = { model: "bench" as const, connections: 10, window: 50 };

testWith(
  ["victoria-metrics"],
  "VictoriaMetrics killed 0.2 s after its 204 gets back what it had forgotten",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using burst = await startFleet(sluice, { ...load, count: 5_000 });
    await burst.end();
    // All of it is stored, as far as anybody knows, and nothing is written when the store dies.
    assert.equal((await settledBooks(sluice.httpUrl)).stored, 5_000);
    await pause(200);
    await store.kill();
    await pause(1_000);
    await store.restart();
    await burst.verify("victoriametrics", store.url);
    assertConserved(await settledBooks(sluice.httpUrl));
    const metric = await metrics(sluice.httpUrl);
    assert.equal(metric("sluice_readings_rewritten_total"), 5_000);
  },
);

testWith(
  ["victoria-metrics"],
  "VictoriaMetrics killed again and again under load, and with Sluice at once, loses nothing",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using run = await startFleet(sluice, { ...load, rate: 2_000, "duration-s": 600 });
    for (let kills = 0; kills < 4; kills++) {
      await until("readings stored", async () => (await books(sluice.httpUrl)).stored > 0);
      await pause(200 + 600 * Math.random());
      const both = kills % 2 === 1;
      await Promise.all([store.kill(), ...(both ? [sluice.process.kill()] : [])]);
      await pause(300);
      if (both) await sluice.process.restart();
      await store.restart();
    }
    run.stop();
    await run.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await run.verify("victoriametrics", store.url);
  },
);
