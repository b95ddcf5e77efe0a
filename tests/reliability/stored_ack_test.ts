/**
 * Acknowledged only once the store has it: `ack` is `stored`.
 *
 * @module
 */
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { startFleet, taking } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

testWith(
  ["victoria-metrics"],
  "with ack stored, every reading is acknowledged in the end, over outages of the store and kills",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url }, ack: "stored" },
    });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 10,
      rate: 2_000,
      window: 50,
      "duration-s": 600, // As long as this takes.
    });
    await taking(sluice);
    await store.stop();
    await pause(3_000);
    await store.restart();
    await taking(sluice);
    await sluice.process.kill();
    await sluice.process.restart();
    await taking(sluice);
    await store.kill();
    await pause(500);
    await store.restart();
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
  },
);
