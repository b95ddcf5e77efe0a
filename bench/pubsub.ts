/**
 * Publish and subscribe side by side with Mosquitto: messages, connects, and what is held for
 * clients. Both are loaded by the same clients in this process, in turns.
 *
 * @module
 */
import { type BenchOptions, type Figure, type Measure, median, perSecond } from "./measure.ts";
import { cpuS } from "./process_stat.ts";
import { startBoth } from "./pubsub_brokers.ts";
import { connectFigures } from "./pubsub_connects.ts";
import { exchange, type Pattern } from "./pubsub_exchange.ts";
import { keptFigures } from "./pubsub_kept.ts";
import { type Broker, retainedRestart, sessionBytes } from "./pubsub_state.ts";

const patterns: readonly Pattern[] = [
  { name: "fan-in 100 → 1", groups: 1, publishers: 100, subscribers: 1, window: 20 },
  { name: "fan-out 1 → 100", groups: 1, publishers: 1, subscribers: 100, window: 200 },
  { name: "100 pairs", groups: 100, publishers: 1, subscribers: 1, window: 100 },
];
const cases = patterns.flatMap((pattern) => ([0, 1] as const).map((qos) => ({ pattern, qos })));

async function run(options: BenchOptions): Promise<Figure[]> {
  return [
    ...await messages(options),
    ...await connects(options),
    ...await sessions(options),
    ...await retained(options),
    ...await keptFigures(options),
  ];
}

/** Of one broker in one round: its rate, and the CPU it took for each. */
interface Seen {
  readonly perS: number;
  readonly cpuUs: number;
}

async function messages({ quick, say }: BenchOptions): Promise<Figure[]> {
  await using brokers = await startBoth();
  const { own, other } = brokers;
  const rounds = quick ? 1 : 3;
  const fullMs = quick ? 400 : 800;
  let durationMs = 200;
  let lost = 0;
  const exchanged = async ({ process, mqttPort }: Broker, pattern: Pattern, qos: 0 | 1) => {
    const beforeS = cpuS(process.pid);
    const result = await exchange(mqttPort, pattern, qos, durationMs);
    lost += result.due - result.delivered;
    const cpuUs = (cpuS(process.pid) - beforeS) / result.delivered * 1e6;
    return { perS: result.deliveredPerS, cpuUs };
  };
  const rows = cases.map(({ pattern, qos }) => ({
    name: `pub/sub, ${pattern.name}, QoS ${qos}: delivered/s against Mosquitto's`,
    measured: (broker: Broker) => exchanged(broker, pattern, qos),
    ratios: [] as number[],
    seen: [] as string[],
  }));
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) durationMs = fullMs;
    for (const { name, measured, ratios, seen } of rows) {
      const [a, b] = [await measured(own), await measured(other)];
      if (round === 0) continue;
      ratios.push(a.perS / b.perS);
      seen.push(inWords(a, b));
      say(`${name}: ${seen.at(-1)!}`);
    }
  }
  return [
    ...rows.map(({ name, ratios, seen }): Figure => ({
      name,
      value: median(ratios),
      unit: "×",
      target: { atLeast: 1 },
      detail: seen.join("; "),
    })),
    {
      name: "pub/sub: messages sent by either and not delivered",
      value: lost,
      unit: "",
      target: { atMost: 0 },
    },
  ];
}

function inWords(own: Seen, other: Seen): string {
  return `${perSecond(own.perS)} to ${perSecond(other.perS)}, ` +
    `CPU ${own.cpuUs.toFixed(2)} to ${other.cpuUs.toFixed(2)} µs`;
}

async function connects(options: BenchOptions): Promise<Figure[]> {
  await using brokers = await startBoth();
  return await connectFigures(brokers.own, brokers.other, options);
}

async function sessions({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 2_000 : 15_000;
  await using brokers = await startBoth();
  const [own, other] = await Promise.all([
    sessionBytes(brokers.own, count),
    sessionBytes(brokers.other, count),
  ]);
  const kb = (bytes: number) => `${(bytes / 1_000).toFixed(1)} KB`;
  say(`${kb(own)} to ${kb(other)} each`);
  return [{
    name: `${count.toLocaleString("en")} sessions with a subscription: resident memory of each`,
    value: own / 1_000,
    unit: "KB",
    target: { atMost: 12 },
    detail: `Mosquitto ${kb(other)}`,
  }];
}

async function retained({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 10_000 : 100_000;
  await using brokers = await startBoth(["persistence true"]);
  const own = await retainedRestart(brokers.own, count);
  const other = await retainedRestart(brokers.other, count);
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  say(`${own.restartS.toFixed(2)} to ${other.restartS.toFixed(2)} s`);
  const name = `${count.toLocaleString("en")} retained messages`;
  return [
    {
      name: `${name}: start until one is given out`,
      value: own.restartS,
      unit: "s",
      detail: `Mosquitto ${other.restartS.toFixed(2)} s`,
    },
    {
      name: `${name}: resident memory then`,
      value: own.bytes / 1e6,
      unit: "MB",
      detail: `Mosquitto ${mb(other.bytes)}`,
    },
    {
      name: `${name}: no longer there after the start`,
      value: own.missing,
      unit: "",
      target: { atMost: 0 },
    },
  ];
}

export const pubsub: Measure = { name: "pubsub", title: "publish and subscribe", run };
