/**
 * The simulator against real servers: load and fleet into mosquitto, verify on what VictoriaMetrics
 * and InfluxDB hold.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWith } from "../gateways/testing/programs.ts";
import { startInfluxd, startMosquitto, startVictoriaMetrics } from "../gateways/testing/servers.ts";
import type { Account } from "./account.ts";
import { systemClock } from "./clock.ts";
import { exitCodes } from "./exit_code.ts";
import { loadModels, withDevice } from "./load_model.ts";
import { simulate } from "./main.ts";
import { accountOf, type StoredReading, storedReadings } from "./testing/stored_readings.ts";
import { withWebSocketBridge } from "./testing/websocket_bridge.ts";
import { InfluxDBStore } from "./verify/influxdb.ts";
import type { Findings } from "./verify/reading_check.ts";
import { runVerify } from "./verify/run_verify.ts";
import type { SampleStore } from "./verify/samples.ts";
import { VictoriaMetricsStore } from "./verify/victoria_metrics.ts";

const never = new AbortController().signal;

async function sim(...args: string[]): Promise<{ readonly code: number; readonly json: unknown }> {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const code = await simulate([...args, "--json"], { print, stop: never });
  return { code, json: JSON.parse(lines.join("\n")) };
}

const field = (json: unknown, name: string): unknown =>
  typeof json === "object" && json !== null
    ? Object.entries(json).find(([key]) => key === name)?.[1]
    : undefined;

testWith(["mosquitto"], "load: mosquitto acknowledges all, also across a kill", async () => {
  await using broker = await startMosquitto();
  const account = await Deno.makeTempFile();
  const common = ["--url", broker.url, "--account", account, "--quiet", "--connections", "4"];
  try {
    for (const qos of ["0", "1", "2"]) {
      const { code, json } = await sim("load", ...common, "--count", "2000", "--qos", qos);
      assert.equal(code, exitCodes.ok);
      assert.equal(field(json, "acknowledged"), 2_000);
    }
    const running = sim(
      "load",
      ...common,
      "--rate",
      "2000",
      "--duration-s",
      "3",
      "--protocol",
      "5",
    );
    await systemClock.sleep(1_000);
    await broker.kill();
    await broker.restart();
    const { code, json } = await running;
    assert.equal(code, exitCodes.ok);
    assert.equal(field(json, "acknowledged"), 6_000);
    assert.equal(field(json, "reconnects"), 4);
  } finally {
    await Deno.remove(account);
  }
});

testWith(["mosquitto"], "fleet: every model over TCP and over WebSocket", async () => {
  await using broker = await startMosquitto();
  const send = async (url: string) => {
    const { code, json } = await sim(
      "fleet",
      ...["--url", url, "--quiet", "--devices", "8", "--rate", "10", "--duration-s", "1.5"],
    );
    assert.equal(code, exitCodes.ok);
    assert.ok(Number(field(json, "acknowledged")) > 40);
    assert.equal(field(json, "acknowledged"), field(json, "published"));
  };
  await send(broker.url);
  await withWebSocketBridge(broker.port, send);
});

testWith(["victoria-metrics"], "verify: VictoriaMetrics, clean and not", async () => {
  await using server = await startVictoriaMetrics();
  await verifyAll(
    new VictoriaMetricsStore(server.url),
    (lines) => post(`${server.url}/write?precision=ns`, lines),
  );
});

testWith(["influxd"], "verify: InfluxDB 1.x, clean and not", async () => {
  await using server = await startInfluxd();
  await post(`${server.url}/query?q=${encodeURIComponent("CREATE DATABASE sluice")}`, "");
  await verifyAll(
    new InfluxDBStore(server.url, "sluice"),
    (lines) => post(`${server.url}/write?db=sluice&precision=ns`, lines),
  );
});

/** Fills a store as Sluice would, with and without faults, and looks at what verify says. */
async function verifyAll(
  store: SampleStore,
  write: (lines: string) => Promise<void>,
): Promise<void> {
  const beganMs = Date.now() - 600_000;
  for (const name of ["bench", "arrival", "station", "device"] as const) {
    const account = accountOf(name, { devices: 3, sent: 500, acknowledged: 490, beganMs });
    const stored = storedReadings(account);
    await write(lineProtocol(account, stored));
    const { faults, expected, storedUnacknowledged } = await verify(account, store, 10_000);
    assert.deepEqual(
      faults,
      { missing: 0, duplicated: 0, wrongTime: 0, wrongValue: 0, unexpected: 0 },
      `${name} in ${store.name}`,
    );
    assert.equal(expected, 1_470);
    assert.equal(storedUnacknowledged, 30);
  }
  const account = accountOf("bench", { devices: 2, sent: 40, beganMs, topic: "bench/spoiled{n}" });
  const stored = storedReadings(account);
  stored.splice(7, 1);
  stored[20]!.values.set("humidity", 99);
  stored.push({ ...stored[30]!, series: ",gateway=other" });
  stored[50]!.timeNs += 5_000_000;
  await write(lineProtocol(account, stored));
  const { faults } = await verify(account, store, 3_000);
  assert.deepEqual(
    faults,
    { missing: 2, duplicated: 1, wrongTime: 1, wrongValue: 1, unexpected: 0 },
    store.name,
  );
}

function verify(account: Account, store: SampleStore, waitMs: number): Promise<Findings> {
  return runVerify(account, store, { waitMs }, systemClock, never);
}

/** A `series` that begins with a comma is further tags. */
function lineProtocol({ plan }: Account, stored: readonly StoredReading[]): string {
  const model = loadModels[plan.model];
  return stored.flatMap(({ device, timeNs, series, values }) => {
    const tag = model.deviceTag(withDevice(plan.topic, device));
    const more = series.startsWith(",") ? series : "";
    return [...values].map(([key, value]) => {
      const { measurement, field, deviceTag } = model.series(key);
      const name = measurement.kind === "is" ? measurement.name : `${tag}${measurement.suffix}`;
      const time = BigInt(plan.beganMs) * 1_000_000n + BigInt(timeNs);
      return `${name},${deviceTag}=${tag}${more} ${field}=${value} ${time}\n`;
    });
  }).join("");
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: "POST", body });
  assert.ok(response.ok, await response.text());
}
