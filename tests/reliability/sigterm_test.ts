/**
 * SIGTERM under load, in good order, again and again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { acknowledging, startFleet } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

testWith(
  ["victoria-metrics"],
  "SIGTERM under load ends with exit code 0 and loses nothing, also with the store away",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 20,
      rate: 2_000,
      "duration-s": 600, // As long as this takes.
      window: 20,
    });
    for (let stops = 0; stops < 4; stops++) {
      await acknowledging(sluice, [load]);
      await pause(Math.random() * 1_000);
      if (stops === 2) await store.stop();
      assert.equal(await sluice.process.stop(), 0);
      await sluice.process.restart();
      if (stops === 2) await store.restart();
    }
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
  },
);
