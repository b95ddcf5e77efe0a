/**
 * Processes that are there and do not answer: SIGSTOP of the store, and of Sluice itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { readiness } from "../support/api.ts";
import { startFleet, taking } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { assertConserved, settledBooks, startSluice, until } from "../support/sluice.ts";

const flags = { model: "bench" as const, connections: 10, rate: 2_000, window: 50 };

testWith(
  ["victoria-metrics"],
  "a store that hangs costs nothing: readings are taken meanwhile, and stored afterwards",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url, timeoutMs: 1_000 } },
    });
    await using load = await startFleet(sluice, { ...flags, "duration-s": 600 });
    await taking(sluice);
    store.pause();
    await until("not ready", async () => !(await readiness(sluice.httpUrl)).ready);
    const { text } = await readiness(sluice.httpUrl);
    assert.match(text, /the store is away/);
    await taking(sluice, 4_000);
    store.resume();
    await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
    load.stop();
    const report = await load.end();
    // Nobody noticed: a store that hangs is no reason to wait.
    assert.equal(report.reconnects, 0);
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
  },
);

testWith(
  ["victoria-metrics"],
  "Sluice stopped for longer than a Worker may be silent goes on as if nothing had been",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using load = await startFleet(sluice, { ...flags, "duration-s": 600 });
    await taking(sluice);
    sluice.process.pause();
    await pause(7_000);
    sluice.process.resume();
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
    assert.doesNotMatch(sluice.process.log, /a Worker failed/);
  },
);
