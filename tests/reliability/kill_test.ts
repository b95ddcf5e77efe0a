/**
 * kill -9 at random moments, again and again.
 *
 * @module
 */
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { acknowledging, startFleet } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

/** For a soak: SLUICE_TEST_KILLS=500. */
const kills = Number(Deno.env.get("SLUICE_TEST_KILLS") ?? 20);

testWith(
  ["victoria-metrics"],
  `kill -9 at ${kills} random moments under load of every transport loses nothing`,
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 20,
      rate: 2_000,
      window: 20,
      "duration-s": kills * 100,
    });
    for (let killed = 0; killed < kills; killed++) {
      await acknowledging(sluice, [load]);
      await pause(Math.random() * 600);
      await sluice.process.kill();
      await sluice.process.restart();
    }
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
  },
);
