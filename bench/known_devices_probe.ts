/**
 * The path of a reading as a shard has it, without sockets and with a store that takes everything:
 * feeds it readings of many devices, and weighs the heap. `known_devices_probe.ts COUNT`, with
 * `--v8-flags=--expose-gc`. Prints bytes for each device as JSON.
 *
 * @module
 */
import { memoryUsage } from "node:process";
import { codeTraceMemory } from "../actors/code_trace.ts";
import type { Offer, Origin } from "../actors/intake.ts";
import { Ledger, ledgerMemory } from "../actors/ledger.ts";
import type { Sink } from "../actors/sink.ts";
import { diskPressureMemory } from "../actors/spool/disk_pressure.ts";
import { owedElsewhereMemory } from "../actors/spool/owed_elsewhere.ts";
import { stallsMemory } from "../actors/spool/stalls.ts";
import { TopicTable } from "../actors/topic_table.ts";
import { loadConfig } from "../config.ts";
import { ActorSystem } from "../runtime/system.ts";
import { GuardMemory } from "../topology/guard.ts";
import { shardLimits } from "../topology/limits.ts";
import { ReadingPath } from "../topology/reading_path.ts";
import { shardRoutes } from "../topology/routes.ts";
import { pause, poll } from "./pause.ts";

const devices = Number(Deno.args[0]);
const readingsEach = 3;
const passivateAfterMs = 20_000;
const utf8 = new TextEncoder();

const dir = await Deno.makeTempDir({ prefix: "sluice_bench_known_" });
const file = `${dir}/sluice.json`;
await Deno.writeTextFile(
  file,
  JSON.stringify({
    dataDir: dir,
    device: { passivateAfterMs, activeMax: devices * 2 },
    limits: { topicsMax: devices * 4 },
    routes: [{
      name: "bench",
      topic: "bench/{device}",
      measurement: "bench",
      tags: { device: "{device}" },
      timestamp: { key: "ts" },
    }],
  }),
);
const { config } = await loadConfig(file, {});
const takesAll: Sink = {
  name: "takes all",
  write: () => Promise.resolve({ kind: "stored" }),
  probe: () => Promise.resolve({ ok: true }),
  close: () => Promise.resolve(),
};
const memory = ledgerMemory();
const system = new ActorSystem({ name: "probe" });
const path = await ReadingPath.open({
  init: {
    shard: 0,
    shards: 1,
    config,
    gatewayId: "bench",
    ledgerMemory: memory,
    codeTrace: codeTraceMemory(),
    suspects: [],
    diskPressure: diskPressureMemory(),
    owedElsewhere: owedElsewhereMemory(1),
    stalls: stallsMemory(1),
    guard: new GuardMemory(config, 1).init(),
    adopts: false,
    orphans: [],
    orphanLetters: [],
    told: [],
    mqtt: undefined,
    mqttTls: undefined,
    sessionPath: undefined,
    brokers: [],
  },
  limits: shardLimits(config, 1),
  routes: await shardRoutes(config),
  ledger: new Ledger(memory),
  system,
  sink: takesAll,
  rates: undefined,
  stage: () => {},
});

let settled = 0;
const origin: Origin = {
  transport: "mqtt",
  originHash: 1,
  settled: () => void settled++,
  settledEnd: () => {},
  resume: () => {},
};
const startMs = Date.now() - 3_600_000;

async function feed(from: number, to: number): Promise<void> {
  const goal = settled + (to - from) * readingsEach;
  for (let reading = 0; reading < readingsEach; reading++) {
    for (let device = from; device < to; device++) {
      const topic = `bench/d${device}`;
      const bytes = utf8.encode(
        `${topic}{"temperature":23.${10 + device % 90},"humidity":45.${10 + device % 90},` +
          `"pressure":1.${100 + device % 900},"seq":1${String(reading).padStart(9, "0")},` +
          `"ts":${startMs + reading * 1_000}}`,
      );
      const offer: Offer = {
        bytes,
        topicStart: 0,
        topicEnd: topic.length,
        payloadStart: topic.length,
        payloadEnd: bytes.length,
        flags: 1,
        packetId: 1 + device % 60_000,
        sequence: 0,
      };
      while (path.hub.offer(origin, offer) === "full") {
        path.hub.flush();
        await pause(1);
      }
      if (device % 1_000 === 999) {
        path.hub.flush();
        await pause(0);
      }
    }
  }
  path.hub.flush();
  await poll("every reading settled", () => settled >= goal);
}

const collect: unknown = Reflect.get(globalThis, "gc");

/** What is reachable, when nothing is under way. */
async function weigh(): Promise<number> {
  if (typeof collect !== "function") throw new Error("run it with --v8-flags=--expose-gc");
  for (let i = 0; i < 3; i++) {
    await pause(100);
    collect();
  }
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}

/** What the table of topics holds of them: measured by itself, in a table of the same kind. */
async function weighTopics(): Promise<number> {
  const table = new TopicTable(await shardRoutes(config), {
    gatewayId: "bench",
    entriesMax: devices * 4,
    hashSeed: 1,
  });
  const before = await weigh();
  for (let device = 0; device < devices; device++) {
    const topic = utf8.encode(`bench/d${device}`);
    table.lookup(topic, 0, topic.length);
  }
  const after = await weigh();
  if (table.size !== devices) throw new Error(`${table.size} topics instead of ${devices}`);
  return (after - before) / devices;
}

const warm = Math.floor(devices / 20);
await feed(devices, devices + warm);
await pause(500);
const topic = await weighTopics();
const before = await weigh();
await feed(0, devices);
await poll("nothing in the spool", () => path.spool.backlog === 0);
await pause(1_000);
const active = (await weigh() - before) / devices;
await poll(
  "every device passivated, and its topic forgotten",
  () => path.devices.gauges().sluice_device_actors === 0 && path.topics.size === 0,
  { everyMs: 100 },
);
// The first ones were passivated too: what they gave back does not count for the others.
const passivated = (await weigh() - before + warm * (active > 0 ? active : 0)) / devices;
Deno.stdout.writeSync(utf8.encode(`${
  JSON.stringify({
    active: Math.round(active),
    passivated: Math.round(passivated),
    topic: Math.round(topic),
  })
}\n`));
await Deno.remove(dir, { recursive: true });
Deno.exit(0);
