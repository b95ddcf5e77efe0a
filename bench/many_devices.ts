/**
 * Throughput with 100,000 devices against 100, each on a Sluice of its own, into one store that
 * knows all series already.
 *
 * @module
 */
import { startVictoriaMetrics } from "../gateways/testing/servers.ts";
import { startSluice } from "../tests/support/sluice.ts";
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { storedRun } from "./stored_run.ts";

const connections = 100;
const few = 100;
const many = 100_000;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 400_000 : 1_000_000;
  const rounds = quick ? 1 : 3;
  await using store = await startVictoriaMetrics();
  const config = { influx: { url: store.url } };
  await using forFew = await startSluice({ config });
  await using forMany = await startSluice({ config });
  const flags = { qos: 1, connections, count } as const;
  const ofFew = () =>
    storedRun(forFew.mqttUrl, forFew.process.pid, store, { ...flags, devices: few });
  const ofMany = () =>
    storedRun(forMany.mqttUrl, forMany.process.pid, store, { ...flags, devices: many });
  await ofMany();
  await ofFew();
  const ratios: number[] = [];
  const seen: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const [less, more] = [await ofFew(), await ofMany()];
    ratios.push(more.storedPerS / less.storedPerS);
    seen.push(
      `${perSecond(more.storedPerS)} to ${perSecond(less.storedPerS)}, ` +
        `${more.cpuUs.toFixed(2)} to ${less.cpuUs.toFixed(2)} µs`,
    );
    say(seen.at(-1)!);
  }
  return [{
    name: "direct QoS 1: stored/s with 100,000 devices against 100",
    value: median(ratios),
    unit: "×",
    target: { atLeast: 0.85 },
    detail: seen.join("; "),
  }];
}

export const manyDevices: Measure = { name: "devices", title: "100,000 devices", run };
