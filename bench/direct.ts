/**
 * Devices that connect to Sluice itself, against what Mosquitto forwards of the same load to one
 * reader.
 *
 * @module
 */
import { startMosquitto } from "../gateways/testing/servers.ts";
import { startSluice } from "../tests/support/sluice.ts";
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { forwardedRun } from "./mosquitto_reader.ts";
import { cpuOf, limitPerS, storedRun, underTest } from "./stored_run.ts";
import { VictoriaStore } from "./victoria_store.ts";

const cases = [
  { name: "QoS 0, 100 connections", qos: 0, connections: 100, target: 2 },
  { name: "QoS 1, window 100, 100 connections", qos: 1, connections: 100, target: 1.8 },
  { name: "QoS 1, window 100, 1,000 connections", qos: 1, connections: 1_000, target: 1 },
] as const;

/** The reader's side is the same for all cases. */
const readerConnections = 100;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const readCount = quick ? 200_000 : 2_000_000;
  const count = readCount * 2;
  const rounds = quick ? 1 : 3;
  await using store = await VictoriaStore.start();
  await using mosquitto = await startMosquitto();
  await using sluice = await startSluice({ config: { influx: { url: store.url } } });
  const fed = underTest(sluice, sluice.mqttUrl);
  await storedRun(fed, store, { qos: 1, connections: 100, count: count >> 1 });
  const ratios = cases.map((): number[] => []);
  const limits = cases.map((): number[] => []);
  const seen = cases.map((): string[] => []);
  let missing = 0;
  for (let round = 0; round < rounds; round++) {
    const read = await forwardedRun(mosquitto, readerConnections, readCount);
    say(`Mosquitto forwards ${perSecond(read.perS)}`);
    for (const [index, { name, qos, connections }] of cases.entries()) {
      const stored = await storedRun(fed, store, { qos, connections, count });
      ratios[index]!.push(stored.storedPerS / read.perS);
      const us = stored.cpuUs + stored.storeCpuUs + stored.generatorCpuUs;
      limits[index]!.push(limitPerS(us) / read.perS);
      missing += stored.missing + stored.doubled;
      seen[index]!.push(
        `${perSecond(stored.storedPerS)} to ${perSecond(read.perS)}, CPU ${cpuOf(stored)}`,
      );
      say(`${name}: ${seen[index]!.at(-1)!}`);
    }
  }
  return [
    ...cases.flatMap(({ name, target }, index): Figure[] => [
      {
        name: `direct, ${name}: stored/s against what Mosquitto forwards to one reader`,
        value: median(ratios[index]!),
        unit: "×",
        target: { atLeast: target },
        detail: seen[index]!.join("; "),
      },
      {
        name: "the same if all cores did nothing else: the limit",
        value: median(limits[index]!),
        unit: "×",
      },
    ]),
    {
      name: "direct: readings missing or doubled in the store",
      value: missing,
      unit: "",
      target: { atMost: 0 },
    },
  ];
}

export const direct: Measure = { name: "direct", title: "direct endpoint", run };
