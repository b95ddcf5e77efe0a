/**
 * kill -9 with InfluxDB 1.
 *
 * @module
 */
import { startInfluxd } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { killUnderLoad } from "../support/kills.ts";
import { influxQuery } from "../support/influxdb.ts";
import { startSluice } from "../support/sluice.ts";

testWith(
  ["influxd"],
  "kill -9 at random moments, InfluxDB 1: nothing missing, nothing doubled",
  async () => {
    await using store = await startInfluxd();
    await influxQuery(store.url, "CREATE DATABASE sluice");
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await killUnderLoad(sluice, "influxdb", store.url);
  },
);
