/**
 * CPU per message beside the obvious TypeScript adapter: the same broker's messages, the same JSON
 * Schema, the same store.
 *
 * @module
 */
import { startMosquitto } from "../gateways/testing/servers.ts";
import { benchRoute, startFlags, startSluice } from "../tests/support/sluice.ts";
import { type Child, startChild } from "./child.ts";
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { storedRun, underTest } from "./stored_run.ts";
import { VictoriaStore } from "./victoria_store.ts";

const connections = 100;
const schema = {
  type: "object",
  required: ["temperature", "humidity", "pressure", "seq", "ts"],
  additionalProperties: false,
  properties: {
    temperature: { type: "number", minimum: -60, maximum: 100 },
    humidity: { type: "number", minimum: 0, maximum: 100 },
    pressure: { type: "number", minimum: 0 },
    seq: { type: "integer" },
    ts: { type: "integer" },
  },
};

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 100_000 : 400_000;
  const rounds = quick ? 1 : 3;
  await using store = await VictoriaStore.start();
  await using forSluice = await startMosquitto();
  await using forAdapter = await startMosquitto();
  await using sluice = await startSluice({
    config: {
      influx: { url: store.url },
      broker: { urls: [forSluice.url], topics: ["bench/#"], qos: 0, clean: true },
      routes: [{ ...benchRoute, schema }],
    },
  });
  await using adapter = await startAdapter(forAdapter.url, store.url);
  const flags = { qos: 0, connections, count } as const;
  const ofSluice = () => storedRun(underTest(sluice, forSluice.url), store, flags);
  const ofAdapter = () => storedRun({ url: forAdapter.url, pid: adapter.pid }, store, flags);
  await ofSluice();
  await ofAdapter();
  const costs: number[] = [];
  const seen: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const [own, other] = [await ofSluice(), await ofAdapter()];
    costs.push(own.cpuUs / other.cpuUs);
    seen.push(
      `${own.cpuUs.toFixed(2)} to ${other.cpuUs.toFixed(2)} µs, ` +
        `${perSecond(own.storedPerS)} to ${perSecond(other.storedPerS)}`,
    );
    say(seen.at(-1)!);
  }
  return [{
    name: "broker-fed with a schema: CPU per message against the obvious adapter's",
    value: median(costs),
    unit: "×",
    target: { atMost: 0.7 },
    detail: seen.join("; "),
  }];
}

function startAdapter(brokerUrl: string, storeUrl: string): Promise<Child> {
  return startChild("./obvious_adapter.ts", startFlags, [
    brokerUrl,
    storeUrl,
    JSON.stringify(schema),
  ]);
}

export const againstAdapter: Measure = {
  name: "adapter",
  title: "against the obvious adapter",
  run,
};
