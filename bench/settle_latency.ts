/**
 * How long a device waits for its acknowledgement at 10,000 messages a second, QoS 1: from when
 * the message was due, so that a message that had to queue counts with its whole wait.
 *
 * @module
 */
import { startSluice } from "../tests/support/sluice.ts";
import { load, type LoadResult } from "./load.ts";
import { type BenchOptions, type Figure, type Measure, median } from "./measure.ts";
import { VictoriaStore } from "./victoria_store.ts";

const flags = { qos: 1, connections: 100, rate: 10_000 } as const;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  await using store = await VictoriaStore.start();
  await using sluice = await startSluice({ config: { influx: { url: store.url } } });
  await load(sluice.mqttUrl, { ...flags, durationS: 3 });
  const rounds: LoadResult["latencyMs"][] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const { latencyMs } = await load(sluice.mqttUrl, { ...flags, durationS: quick ? 3 : 10 });
    rounds.push(latencyMs);
    say(JSON.stringify(latencyMs));
  }
  const figure = (name: string, of: "p50" | "p99" | "p999", atMost: number): Figure => ({
    name: `settle latency at 10,000 messages/s QoS 1, ${name}`,
    value: median(rounds.map((latencyMs) => latencyMs[of])),
    unit: "ms",
    target: { atMost },
    detail: rounds.map((latencyMs) => latencyMs[of].toFixed(1)).join(", "),
  });
  return [
    figure("p50", "p50", 3),
    figure("p99", "p99", 20),
    figure("p99.9", "p999", 100),
  ];
}

export const settleLatency: Measure = { name: "latency", title: "settle latency", run };
