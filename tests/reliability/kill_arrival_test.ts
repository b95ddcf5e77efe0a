/**
 * kill -9 where readings carry no time of their own: they are known again by DUP and packet id.
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
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await killUnderLoad(sluice, "victoriametrics", store.url);
  },
);
