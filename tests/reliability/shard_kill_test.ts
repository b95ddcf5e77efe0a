/**
 * One shard is lost, and the others go on: its Worker crashes, or spins for ever.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { readiness } from "../support/api.ts";
import { startFleet, taking } from "../support/load_fleet.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  books,
  getText,
  metrics,
  settledBooks,
  type Sluice,
  startSluice,
  trapRoute,
  until,
} from "../support/sluice.ts";

const failures = (sluice: Sluice): number =>
  sluice.process.log.split("a Worker failed and is started anew").length - 1;
const ready = async (sluice: Sluice): Promise<boolean> => (await readiness(sluice.httpUrl)).ready;

/** The shard that owns the device of the trap. */
async function trapShard(sluice: Sluice): Promise<number> {
  const { text } = await getText(`${sluice.httpUrl}/api/devices/trap`);
  return Number(/"shard":(\d+)/.exec(text)?.[1]);
}

testWith(
  ["victoria-metrics"],
  "a Worker that crashes is started anew, and no acknowledged reading is lost",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url }, shards: 2 },
      routes: [trapRoute],
    });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 16,
      rate: 2_000,
      "duration-s": 600, // As long as this takes.
    });
    for (let crashes = 1; crashes <= 2; crashes++) {
      await taking(sluice);
      const before = failures(sluice);
      using client = await RawClient.connect(sluice.mqttPort);
      // It is not settled, perhaps: then it comes again, once, before its device is found out.
      const crashed = client.publish(`trap/trap${crashes}`, "crash").catch(() => {});
      await until("the crash", () => failures(sluice) > before);
      await until("ready", () => ready(sluice));
      client[Symbol.dispose]();
      await crashed;
    }
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
    assert.ok(sluice.process.alive);
  },
);

testWith(
  ["victoria-metrics"],
  "a thread that spins ends the service in order, the other shard goes on until then, and nothing is lost",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url }, shards: 2 },
      routes: [trapRoute],
    });
    using client = await RawClient.connect(sluice.mqttPort);
    await client.publish("trap/trap", "1");
    const lost = await trapShard(sluice);
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 16,
      rate: 2_000,
      "duration-s": 600, // As long as this takes.
    });
    await until("load", async () => (await books(sluice.httpUrl)).stored > 1_000);
    const spun = client.publish("trap/trap", "spin later").catch(() => {});
    const other = `shard="${1 - lost}"`;
    const stored = async () =>
      (await metrics(sluice.httpUrl))("sluice_readings_settled_total", other);
    const before = await stored();
    await until("the other shard goes on", async () => await stored() > before + 500);
    // The kernel would go on giving it connections: the end of the process is the end of that.
    await until("the end", () => !sluice.process.alive);
    assert.match(sluice.process.log, /shard-\d gave no sign of life/);
    assert.equal(await sluice.process.stop(), 70);
    await spun;
    await sluice.process.restart(); // As systemd does.
    load.stop();
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
  },
);
