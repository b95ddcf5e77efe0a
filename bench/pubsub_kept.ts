/**
 * Sessions whose clients are away: what is queued to them and delivered when they come back, what
 * each of them takes in memory, and how the broker starts with them.
 *
 * Mosquitto has them in memory and writes them to its file every half hour and at its end: a kill
 * loses what came since. `autosave_on_changes` has it write the whole file with every change, which
 * is the nearest it comes to what Sluice does before it acknowledges.
 *
 * @module
 */
import { forAll } from "./for_all.ts";
import { type BenchOptions, type Figure, perSecond } from "./measure.ts";
import { pause } from "./pause.ts";
import { cpuS, rssBytes } from "./process_stat.ts";
import { startBoth } from "./pubsub_brokers.ts";
import { publishPackets, PubSubClient } from "./pubsub_client.ts";
import type { Broker } from "./pubsub_state.ts";

const persistent = ["persistence true"];
const careful = [...persistent, "autosave_on_changes true", "autosave_interval 1"];

/** See the module. */
export async function keptFigures(options: BenchOptions): Promise<Figure[]> {
  return [...await queues(options), ...await offline(options)];
}

/** Of one broker: a rate, and the CPU it took for each. */
interface Seen {
  readonly perS: number;
  readonly cpuUs: number;
}

interface Rates {
  readonly queued: Seen;
  readonly delivered: Seen;
}

async function queues({ quick, say }: BenchOptions): Promise<Figure[]> {
  const each = quick ? 20 : 100;
  await using brokers = await startBoth(persistent);
  const own = await queueAndDeliver(brokers.own, each);
  const other = await queueAndDeliver(brokers.other, each);
  // So slow that a few must do.
  await using others = await startBoth(careful);
  const safe = await queueAndDeliver(others.other, windowEach);
  const inWords = ({ perS, cpuUs }: Seen) => `${perSecond(perS)} (CPU ${cpuUs.toFixed(1)} µs)`;
  const figure = (what: string, of: (rates: Rates) => Seen): Figure => {
    const detail = `${inWords(of(own))} to ${inWords(of(other))} of one that is not safe from a ` +
      `kill, ${inWords(of(safe))} with autosave_on_changes`;
    say(`${what}: ${detail}`);
    const name = `QoS 1 to ${awayClients} clients that are away: ${what}/s against Mosquitto's`;
    return { name, value: of(own).perS / of(other).perS, unit: "×", detail };
  };
  return [
    figure("queued", ({ queued }) => queued),
    figure("delivered when they come back", ({ delivered }) => delivered),
  ];
}

const awayClients = 100;
const publishers = 10;
/** Messages to each client that are on their way from its publisher. */
const windowEach = 10;
const payload = new Uint8Array(64).fill(0x78);
const filterOf = (client: number) => `kept/${client}`;

/** Every client gets so many messages of its own, all of them before it comes back. */
async function queueAndDeliver({ process, mqttPort }: Broker, each: number): Promise<Rates> {
  const clients = Array.from({ length: awayClients }, (_, i) => i);
  await forAll(clients, async (client) => {
    using its = await PubSubClient.connect(mqttPort, `away-${client}`, false);
    await its.subscribe(filterOf(client), 1);
  });
  using open = new DisposableStack();
  const senders: PubSubClient[] = [];
  for (let i = 0; i < publishers; i++) {
    senders.push(open.use(await PubSubClient.connect(mqttPort, `sender-${i}`)));
  }
  const messages = awayClients * each;
  const queued = await seen(process.pid, messages, () =>
    forAll(senders, async (sender, s) => {
      // Each to clients of its own.
      const its = clients.filter((client) => client % publishers === s).map(filterOf);
      const topics = Array.from({ length: windowEach }, () => its).flat();
      const packets = publishPackets(topics, payload, { qos: 1, firstId: 1 });
      for (let round = 1; round <= each / windowEach; round++) {
        await sender.send(packets);
        await sender.until("PUBACKs", () => sender.acknowledgements === round * topics.length);
      }
    }));
  const delivered = await seen(process.pid, messages, () =>
    forAll(clients, async (client) => {
      const its = open.use(await PubSubClient.connect(mqttPort, `away-${client}`, false));
      await its.until("what waited for it", () => its.received >= each);
    }));
  return { queued, delivered };
}

async function seen(pid: number, messages: number, work: () => Promise<void>): Promise<Seen> {
  const [beforeS, startMs] = [cpuS(pid), performance.now()];
  await work();
  const perS = messages / (performance.now() - startMs) * 1_000;
  return { perS, cpuUs: (cpuS(pid) - beforeS) / messages * 1e6 };
}

interface Offline {
  readonly bytes: number;
  readonly restartS: number;
  /** Of those that are asked for. */
  readonly missing: number;
}

async function offline({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 2_000 : 5_000;
  await using brokers = await startBoth(persistent);
  const own = await offlineSessions(brokers.own, count);
  const other = await offlineSessions(brokers.other, count);
  const kb = (bytes: number) => `${(bytes / 1_000).toFixed(2)} KB`;
  say(
    `${kb(own.bytes)} to ${kb(other.bytes)} each; ${own.restartS.toFixed(2)} to ${
      other.restartS.toFixed(2)
    } s`,
  );
  const name = `${count.toLocaleString("en")} kept sessions whose clients are away`;
  return [
    {
      name: `${name}: resident memory of each`,
      value: own.bytes / 1_000,
      unit: "KB",
      detail: `Mosquitto ${kb(other.bytes)}`,
    },
    {
      name: `${name}: start until one goes on`,
      value: own.restartS,
      unit: "s",
      detail: `Mosquitto ${other.restartS.toFixed(2)} s`,
    },
    {
      name: `${name}: no longer there after the start`,
      value: own.missing,
      unit: "",
      target: { atMost: 0 },
      detail: `of ${asked}; Mosquitto, ended in good order, ${other.missing}`,
    },
  ];
}

/** Sessions that come first and are not counted: code and pools that do not grow with each. */
const first = 1_000;
const settleMs = 1_000;
/** Sessions that are looked for after the start. */
const asked = 100;

async function offlineSessions({ process, mqttPort }: Broker, count: number): Promise<Offline> {
  const keep = (from: number, to: number) =>
    forAll(Array.from({ length: to - from }, (_, i) => from + i), async (client) => {
      using its = await PubSubClient.connect(mqttPort, `offline-${client}`, false);
      await its.subscribe(filterOf(client), 1);
    });
  await keep(0, first);
  await pause(settleMs);
  const beforeBytes = rssBytes(process.pid);
  await keep(first, count);
  await pause(settleMs);
  const bytes = (rssBytes(process.pid) - beforeBytes) / (count - first);
  await process.stop();
  const startMs = performance.now();
  await process.restart();
  const present = async (client: number): Promise<boolean> => {
    using its = await PubSubClient.connect(mqttPort, `offline-${client}`, false);
    return its.present;
  };
  let missing = await present(0) ? 0 : 1;
  const restartS = (performance.now() - startMs) / 1_000;
  for (let i = 1; i < asked; i++) {
    if (!await present(Math.floor(i * count / asked))) missing++;
  }
  return { bytes, restartS, missing };
}
