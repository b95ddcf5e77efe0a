/**
 * Readings that come through Mosquitto, QoS 0: Sluice stores them, `mosquitto_sub` throws them
 * away. Both read the same load from brokers of the same kind, in turns.
 *
 * @module
 */
import { startMosquitto } from "../gateways/testing/servers.ts";
import { startSluice } from "../tests/support/sluice.ts";
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { forwardedRun } from "./mosquitto_reader.ts";
import { cpuS } from "./process_stat.ts";
import { cpuOf, limitPerS, storedRun, underTest } from "./stored_run.ts";
import { VictoriaStore } from "./victoria_store.ts";

const connections = 100;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 200_000 : 2_000_000;
  const rounds = quick ? 1 : 3;
  await using store = await VictoriaStore.start();
  await using plain = await startMosquitto();
  await using feeding = await startMosquitto();
  await using sluice = await startSluice({
    config: {
      influx: { url: store.url },
      broker: { urls: [feeding.url], topics: ["bench/#"], qos: 0, clean: true },
    },
  });
  const fed = underTest(sluice, feeding.url);
  const flags = { qos: 0, connections, count } as const;
  await storedRun(fed, store, flags); // The first million is slower: V8 has not compiled all yet.
  const rates: number[] = [];
  const limits: number[] = [];
  const costs: number[] = [];
  const seen: string[] = [];
  let missing = 0;
  for (let round = 0; round < rounds; round++) {
    const read = await forwardedRun(plain, connections, count);
    const brokerBeforeS = cpuS(feeding.pid);
    const stored = await storedRun(fed, store, flags);
    const brokerCpuUs = (cpuS(feeding.pid) - brokerBeforeS) / count * 1e6;
    const us = stored.cpuUs + stored.storeCpuUs + stored.generatorCpuUs + brokerCpuUs;
    limits.push(limitPerS(us) / read.perS);
    rates.push(stored.storedPerS / read.perS);
    costs.push(stored.cpuUs / read.readerCpuUs);
    missing += stored.missing + stored.doubled;
    seen.push(
      `${perSecond(stored.storedPerS)} to ${perSecond(read.perS)}, ` +
        `CPU ${cpuOf(stored)}, broker ${brokerCpuUs.toFixed(2)} µs, ` +
        `mosquitto_sub ${read.readerCpuUs.toFixed(2)} µs`,
    );
    say(seen.at(-1)!);
  }
  return [
    {
      name: "broker-fed QoS 0: stored/s against mosquitto_sub draining",
      value: median(rates),
      unit: "×",
      target: { atLeast: 0.9 },
      detail: seen.join("; "),
    },
    {
      name: "the same if all cores did nothing else: the limit",
      value: median(limits),
      unit: "×",
    },
    {
      name: "broker-fed QoS 0: readings missing or doubled in the store",
      value: missing,
      unit: "",
      target: { atMost: 0 },
    },
    {
      name: "broker-fed: CPU per message against mosquitto_sub's",
      value: median(costs),
      unit: "×",
      target: { atMost: 1.3 },
    },
  ];
}

export const brokerFed: Measure = { name: "broker", title: "broker-fed, QoS 0", run };
