/**
 * The store is away for a minute under load.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { startFleet, taking } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import {
  assertConserved,
  books,
  metrics,
  settledBooks,
  startSluice,
  until,
} from "../support/sluice.ts";

const mib = 1024 * 1024;
const outageMs = 60_000;
const rate = 2_000;
/** More than it holds when memory is flat, far less than the readings of the outage take. */
const growthMaxBytes = 48 * mib;

testWith(
  ["victoria-metrics"],
  "a store that is away for 60 s under load: memory stays flat, nothing is missing, live readings do not wait for the replay",
  async (context) => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      // With the service's own flags every thread lets 64 MiB of garbage lie before it looks what
      // is held: here it looks early, and what grows is what is held.
      v8Flags: "--max-semi-space-size=4",
      config: {
        influx: { url: store.url },
        // Room for a part of the readings only: the rest has to go by the disk.
        limits: { memoryBytesMax: 64 * mib, payloadBytesMax: 64 * 1024 },
        // Small writes, so that the replay takes seconds.
        store: { batchBytesMax: 64 * 1024 },
      },
    });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 12,
      rate,
      window: 100,
      "duration-s": 600, // As long as this takes.
    });
    await taking(sluice, 2 * rate);
    await pause(10_000); // Until V8 has compiled and laid out what it needs, memory grows.
    await store.stop();
    const stoppedMs = performance.now();
    const memory: number[] = [];
    while (performance.now() - stoppedMs < outageMs) {
      await pause(2_000);
      memory.push(await sluice.process.residentBytes());
    }
    // A slow machine takes longer for as many.
    const many = rate * outageMs / 1_000 * 0.8;
    await until("spooled", async () => (await books(sluice.httpUrl)).spool > many);
    const restartMs = Date.now();
    await store.restart();
    // Readings of after the outage are in the store while some of the outage still wait.
    let liveFirst = false;
    await until("the backlog is written", async () => {
      const newestMs = await newestInStoreMs(store.url);
      const metric = await metrics(sluice.httpUrl);
      if (metric("sluice_replay_readings") > rate) liveFirst ||= newestMs > restartMs;
      return metric("sluice_spool_readings") < rate;
    });
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);

    assert.ok(liveFirst, "live readings waited for the replay");
    const curve = memory.map((bytes) => Math.round(bytes / mib));
    await context.step(`memory every 2 s of the outage, MiB: ${curve.join(" ")}`, () => {
      assert.ok(Math.max(...memory.slice(5)) - memory[4]! < growthMaxBytes);
    });
  },
);

/** The time of the newest reading in the store. */
async function newestInStoreMs(storeUrl: string): Promise<number> {
  // What was written last is not found before it is flushed.
  await (await fetch(`${storeUrl}/internal/force_flush`)).body?.cancel();
  const query = encodeURIComponent("max(tlast_over_time(bench_seq[2m]))");
  const response = await fetch(`${storeUrl}/api/v1/query?query=${query}&nocache=1`);
  return Number(/"value":\[[\d.]+,"([\d.]+)"\]/.exec(await response.text())?.[1]) * 1_000;
}
