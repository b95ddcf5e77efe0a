/**
 * kill -9 where readings carry no time of their own: they are known again by DUP and packet id,
 * though with each start the number of shards is another one.
 *
 * @module
 */
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { killUnderLoad } from "../support/kills.ts";
import { startSluice } from "../support/sluice.ts";

testWith(
  ["victoria-metrics"],
  "kill -9 at random moments doubles no reading that comes again with DUP",
  async () => {
    await using store = await startVictoriaMetrics();
    const config = { influx: { url: store.url }, shards: 2 };
    await using sluice = await startSluice({ config });
    await killUnderLoad(sluice, "victoriametrics", store.url, (life) => {
      config.shards = [3, 1, 2][life % 3]!;
    });
  },
);
