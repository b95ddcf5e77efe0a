/**
 * One shard is lost, and the others go on: its Worker crashes, or spins for ever.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters, readiness } from "../support/api.ts";
import { startFleet } from "../support/load_fleet.ts";
import { pause, startLoad } from "../support/load_run.ts";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
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

/** Publishes with a connection of its own; false when that is not acknowledged in time. */
async function publishOnce(sluice: Sluice, topic: string, payload: string): Promise<boolean> {
  using client = await RawClient.dial(sluice.mqttPort);
  const timer = setTimeout(() => client[Symbol.dispose](), 3_000); // The spin has a core to itself.
  try {
    await client.send(connectPacket(4, "once"));
    await client.read();
    return await client.publish(topic, payload) === 0;
  } catch { // Closed by the timer: it was connected to the thread that spins.
    return false;
  } finally {
    clearTimeout(timer);
  }
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
      "duration-s": 9,
    });
    for (let crashes = 1; crashes <= 2; crashes++) {
      await pause(1_500);
      const before = failures(sluice);
      using client = await RawClient.connect(sluice.mqttPort);
      // It is not settled, perhaps: then it comes again, once, before its device is found out.
      const crashed = client.publish(`trap/trap${crashes}`, "crash").catch(() => {});
      await until("the crash", () => failures(sluice) > before, 5_000);
      await until("ready", () => ready(sluice), 10_000);
      client[Symbol.dispose]();
      await crashed;
    }
    await load.end();
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
    assert.ok(sluice.process.alive);
  },
);

testWith(
  ["victoria-metrics"],
  "a Worker that spins is given up and started anew; the other shard goes on meanwhile",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url }, shards: 2 },
      routes: [trapRoute],
    });
    using client = await RawClient.connect(sluice.mqttPort);
    await client.publish("trap/trap", "1");
    const lost = await trapShard(sluice);
    await using load = await startLoad(sluice.mqttUrl, {
      model: "bench",
      connections: 16,
      rate: 2_000,
      "duration-s": 10,
      // What is connected to the thread that spins must notice, and may meet it again.
      "keep-alive-s": 2,
      "drain-s": 60,
    });
    await pause(1_500);
    const spun = client.publish("trap/trap", "spin").catch(() => {});
    await pause(500);
    const other = `shard="${1 - lost}"`;
    const stored = async () =>
      (await metrics(sluice.httpUrl))("sluice_readings_settled_total", other);
    const before = await stored();
    await pause(2_500);
    assert.ok(await stored() > before + 500, "the other shard stands still");
    await until("the end of the spin", () => failures(sluice) > 0, 15_000);
    // Deno cannot end the thread itself: that is for whoever watches the process.
    await until("the shard is back", async () => {
      const { text } = await readiness(sluice.httpUrl);
      return text.includes("left a thread behind") && !text.includes("comes back by itself");
    });
    client[Symbol.dispose]();
    await spun;
    // Sent again it does no harm: the code of its device is not run any more.
    await until("the spin again", () => publishOnce(sluice, "trap/trap", "spin"), 60_000);
    await load.end();
    const letters = await deadLetters(sluice.httpUrl);
    assert.ok(letters.length >= 1);
    assert.match(letters[0]!.detail, /took its shard down/);
    assertConserved(await settledBooks(sluice.httpUrl));
    await load.verify("victoriametrics", store.url);
    assert.ok(sluice.process.alive);
  },
);
