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

/** As the README tells whoever has the broker on the same machine. */
const besideBroker = 10;

/** Sluice behind a Mosquitto of its own, as it is started, and what was seen of it. */
interface Fed {
  readonly name: string;
  readonly niceness: number;
  readonly rates: number[];
  /** Rates if all cores did nothing else. */
  readonly limits: number[];
  /** CPU to that of `mosquitto_sub`. */
  readonly costs: number[];
  readonly seen: string[];
}

const fed = (name: string, niceness: number): Fed => ({
  name,
  niceness,
  rates: [],
  limits: [],
  costs: [],
  seen: [],
});

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 200_000 : 2_000_000;
  const rounds = quick ? 1 : 5;
  // Mosquitto has one thread, which never sleeps here: each time that it waits for a core is lost.
  const givesWay = fed(`giving way to the broker (nice -n ${besideBroker})`, besideBroker);
  const asEqual = fed("as an equal of the broker", 0);
  await using store = await VictoriaStore.start();
  await using plain = await startMosquitto();
  await using started = new AsyncDisposableStack();
  const sides = [];
  for (const side of [givesWay, asEqual]) {
    const broker = started.use(await startMosquitto());
    const sluice = started.use(
      await startSluice({
        config: {
          influx: { url: store.url },
          broker: { urls: [broker.url], topics: ["bench/#"], qos: 0, clean: true },
        },
        niceness: side.niceness,
      }),
    );
    sides.push({ side, broker, under: underTest(sluice, broker.url) });
  }
  const flags = { qos: 0, connections, count } as const;
  // The first million is slower: V8 has not compiled all yet.
  for (const { under } of sides) await storedRun(under, store, flags);
  let missing = 0;
  for (let round = 0; round < rounds; round++) {
    const read = await forwardedRun(plain, connections, count);
    for (const { side, broker, under } of sides) {
      const brokerBeforeS = cpuS(broker.pid);
      const stored = await storedRun(under, store, flags);
      const brokerCpuUs = (cpuS(broker.pid) - brokerBeforeS) / count * 1e6;
      const us = stored.cpuUs + stored.storeCpuUs + stored.generatorCpuUs + brokerCpuUs;
      side.limits.push(limitPerS(us) / read.perS);
      side.rates.push(stored.storedPerS / read.perS);
      side.costs.push(stored.cpuUs / read.readerCpuUs);
      missing += stored.missing + stored.doubled;
      side.seen.push(
        `${perSecond(stored.storedPerS)} to ${perSecond(read.perS)}, ` +
          `CPU ${cpuOf(stored)}, broker ${brokerCpuUs.toFixed(2)} µs, ` +
          `mosquitto_sub ${read.readerCpuUs.toFixed(2)} µs`,
      );
      say(`${side.name}: ${side.seen.at(-1)!}`);
    }
  }
  return [
    {
      name: `broker-fed QoS 0: stored/s against mosquitto_sub draining, ${givesWay.name}`,
      value: median(givesWay.rates),
      unit: "×",
      target: { atLeast: 0.9 },
      detail: givesWay.seen.join("; "),
    },
    {
      name: `the same ${asEqual.name}`,
      value: median(asEqual.rates),
      unit: "×",
      detail: asEqual.seen.join("; "),
    },
    {
      name: "the same if all cores did nothing else: the limit",
      value: median(givesWay.limits),
      unit: "×",
    },
    {
      name: "broker-fed QoS 0: readings missing or doubled in the store",
      value: missing,
      unit: "",
      target: { atMost: 0 },
    },
    ...[givesWay, asEqual].map((side): Figure => ({
      name: `broker-fed: CPU per message against mosquitto_sub's, ${side.name}`,
      value: median(side.costs),
      unit: "×",
      target: { atMost: 1.3 },
    })),
  ];
}

export const brokerFed: Measure = { name: "broker", title: "broker-fed, QoS 0", run };
