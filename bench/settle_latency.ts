/**
 * How long a device waits for its acknowledgement at 10,000 messages a second, QoS 1: from when
 * the message was due, so that a message that had to queue counts with its whole wait. Beside it
 * Mosquitto's, which keeps nothing.
 *
 * @module
 */
import { startMosquitto } from "../gateways/testing/servers.ts";
import { startSluice } from "../tests/support/sluice.ts";
import { load, type LoadResult } from "./load.ts";
import { type BenchOptions, type Figure, type Measure, median, type Target } from "./measure.ts";
import { VictoriaStore } from "./victoria_store.ts";

const flags = { qos: 1, connections: 100, rate: 10_000 } as const;
const shares = ["p50", "p99", "p999"] as const;
const targets: readonly Target[] = [{ atMost: 3 }, { atMost: 20 }, { atMost: 100 }];
const names = ["p50", "p99", "p99.9"];

type Latencies = LoadResult["latencyMs"];

async function run(options: BenchOptions): Promise<Figure[]> {
  await using store = await VictoriaStore.start();
  const influx = { url: store.url };
  const sluice = async (config: Readonly<Record<string, unknown>>): Promise<Latencies[]> => {
    await using service = await startSluice({ config: { influx, ...config } });
    return await measured(service.mqttUrl, options);
  };
  const one = await sluice({ shards: 1 });
  const all = await sluice({});
  await using mosquitto = await startMosquitto();
  const kept = await measured(mosquitto.url, options);
  return [
    ...figures("with one shard, which leaves a core to the devices and the store", one, targets),
    ...figures("with a shard for each core", all),
    ...figures("of Mosquitto, which stores nothing", kept),
  ];
}

async function measured(url: string, { quick, say }: BenchOptions): Promise<Latencies[]> {
  await load(url, { ...flags, durationS: 3 });
  const rounds: Latencies[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const { latencyMs } = await load(url, { ...flags, durationS: quick ? 3 : 10 });
    rounds.push(latencyMs);
    say(JSON.stringify(latencyMs));
  }
  return rounds;
}

function figures(of: string, rounds: Latencies[], targets: readonly Target[] = []): Figure[] {
  return shares.map((share, i): Figure => ({
    name: `settle latency at 10,000 messages/s QoS 1, ${of}: ${names[i]}`,
    value: median(rounds.map((latencyMs) => latencyMs[share])),
    unit: "ms",
    ...(targets[i] && { target: targets[i] }),
    detail: rounds.map((latencyMs) => latencyMs[share].toFixed(1)).join(", "),
  }));
}

export const settleLatency: Measure = { name: "latency", title: "settle latency", run };
