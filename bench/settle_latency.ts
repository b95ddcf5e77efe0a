/**
 * How long a device waits for its acknowledgement at 10,000 messages a second, QoS 1: from when
 * the message was due, so that a message that had to queue counts with its whole wait.
 *
 * @module
 */
import { startSluice } from "../tests/support/sluice.ts";
import { load } from "./load.ts";
import type { BenchOptions, Figure, Measure } from "./measure.ts";
import { VictoriaStore } from "./victoria_store.ts";

const flags = { qos: 1, connections: 100, rate: 10_000 } as const;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  await using store = await VictoriaStore.start();
  await using sluice = await startSluice({ config: { influx: { url: store.url } } });
  await load(sluice.mqttUrl, { ...flags, durationS: 3 });
  const { latencyMs, sent } = await load(sluice.mqttUrl, { ...flags, durationS: quick ? 3 : 15 });
  say(JSON.stringify(latencyMs));
  const figure = (name: string, value: number, atMost: number): Figure => ({
    name: `settle latency at 10,000 messages/s QoS 1, ${name}`,
    value,
    unit: "ms",
    target: { atMost },
  });
  return [
    {
      ...figure("p50", latencyMs.p50, 3),
      detail: `${sent} messages, at most ${latencyMs.max.toFixed(1)} ms`,
    },
    figure("p99", latencyMs.p99, 20),
    figure("p99.9", latencyMs.p999, 100),
  ];
}

export const settleLatency: Measure = { name: "latency", title: "settle latency", run };
