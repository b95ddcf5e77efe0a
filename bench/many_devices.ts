/**
 * Throughput with 100,000 devices against 100, each on a Sluice of its own, into stores that
 * know all series already: VictoriaMetrics, which takes longer for more series, and one that only
 * counts.
 *
 * @module
 */
import { type Sluice, startSluice } from "../tests/support/sluice.ts";
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { CountingStore } from "./counting_store.ts";
import type { BenchStore } from "./store.ts";
import { cpuOf, type StoredRun, storedRun, underTest } from "./stored_run.ts";
import { VictoriaStore } from "./victoria_store.ts";

const connections = 100;
const few = 100;
const many = 100_000;

async function run(options: BenchOptions): Promise<Figure[]> {
  await using victoria = await VictoriaStore.start();
  await using counting = new CountingStore();
  return [
    ...await compare(victoria, "stored by VictoriaMetrics", options),
    ...await compare(counting, "taken by a store that only counts", options),
  ];
}

async function compare(
  store: BenchStore,
  where: string,
  { quick, say }: BenchOptions,
): Promise<Figure[]> {
  const count = quick ? 400_000 : 2_000_000;
  const rounds = quick ? 1 : 3;
  const config = { influx: { url: store.url } };
  await using forFew = await startSluice({ config });
  await using forMany = await startSluice({ config });
  const flags = { qos: 1, connections, count } as const;
  const run = (sluice: Sluice, devices: number) =>
    storedRun(underTest(sluice, sluice.mqttUrl), store, { ...flags, devices });
  const ofFew = () => run(forFew, few);
  const ofMany = () => run(forMany, many);
  await ofMany();
  await ofFew();
  const ratios: number[] = [];
  const limits: number[] = [];
  const seen: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const [less, more] = [await ofFew(), await ofMany()];
    ratios.push(more.storedPerS / less.storedPerS);
    limits.push(othersLimit(less, more));
    seen.push(
      `${perSecond(more.storedPerS)} to ${perSecond(less.storedPerS)}, ` +
        `CPU ${cpuOf(more)} to ${cpuOf(less)}`,
    );
    say(`${where}: ${seen.at(-1)!}`);
  }
  return [
    {
      name: `100,000 devices against 100, direct QoS 1: readings/s ${where}`,
      value: median(ratios),
      unit: "×",
      target: { atLeast: 0.85 },
      detail: seen.join("; "),
    },
    {
      name: "the same if Sluice took no more for one of 100,000: the limit",
      value: median(limits),
      unit: "×",
    },
  ];
}

/** The ratio that is left when only the store and the generator take more for many devices. */
function othersLimit(less: StoredRun, more: StoredRun): number {
  const others = more.storeCpuUs + more.generatorCpuUs;
  return (less.cpuUs + less.storeCpuUs + less.generatorCpuUs) / (less.cpuUs + others);
}

export const manyDevices: Measure = { name: "devices", title: "100,000 devices", run };
