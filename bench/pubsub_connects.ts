/**
 * How many clients can connect in a second: dialled, CONNECT, CONNACK, closed. Sluice, Mosquitto,
 * and a bare loop of Deno's, which is the most that Sluice could be, in turns.
 *
 * @module
 */
import { freePort } from "../gateways/testing/server_process.ts";
import { startChild } from "./child.ts";
import { type BenchOptions, type Figure, median, perSecond } from "./measure.ts";
import { cpuS } from "./process_stat.ts";
import { startOwn } from "./pubsub_brokers.ts";
import { connectPacket } from "./pubsub_client.ts";
import type { Broker } from "./pubsub_state.ts";

const dialsAtOnce = 32;
/** V8 has not compiled and laid out all it needs before: until then a connect takes half as much again. */
const warmUpCount = 60_000;
const accepted = 0;
const order = "Sluice to one shard of it to a bare loop to Mosquitto";

let ids = 0;

/** Connects and their CPU, of Sluice with two shards and with one, and of the bare loop. */
export async function connectFigures(
  own: Broker,
  mosquitto: Broker,
  { quick, say }: BenchOptions,
): Promise<Figure[]> {
  const rounds = quick ? 1 : 15;
  const port = freePort();
  const flags = ["--no-prompt", "--allow-net=127.0.0.1", "--allow-read"];
  await using bare = await startChild("./bare_connects.ts", flags, [String(port)]);
  await using single = await startOwn({ shards: 1 });
  const sides = [own, single, { process: bare, mqttPort: port }, mosquitto];
  const ratios: number[][] = sides.map(() => []);
  const seen: string[] = [];
  const count = quick ? 1_000 : 10_000;
  for (const { mqttPort } of sides) await connectRate(mqttPort, quick ? count : warmUpCount);
  for (let round = 0; round < rounds; round++) {
    const perS: number[] = [];
    const cpuUs: number[] = [];
    for (const { process: { pid }, mqttPort } of sides) {
      const beforeS = cpuS(pid);
      perS.push(await connectRate(mqttPort, count));
      cpuUs.push((cpuS(pid) - beforeS) / count * 1e6);
    }
    for (const [side, rate] of perS.entries()) ratios[side]!.push(rate / perS.at(-1)!);
    seen.push(
      `${perS.map(perSecond).join(" to ")}, ` +
        `CPU ${cpuUs.map((us) => us.toFixed(0)).join(" to ")} µs`,
    );
    say(`connects, ${order}: ${seen.at(-1)!}`);
  }
  const [twoShards = [], oneShard = [], bareLoop = []] = ratios;
  const [leanTwo = NaN, leanOne = NaN] = await leanRatios(
    [own, single, mosquitto],
    quick ? 1 : 9,
    count,
  );
  return [
    {
      name: "CONNECT to CONNACK, then closed: connects/s against Mosquitto's, two shards",
      value: median(twoShards),
      unit: "×",
      detail: `${order}: ${seen.join("; ")}`,
    },
    {
      name: "the same with one shard, which leaves the clients a core as Mosquitto does",
      value: median(oneShard),
      unit: "×",
      target: { atLeast: 0.8 },
    },
    {
      name: "the same from clients that call the C library, two shards",
      value: leanTwo,
      unit: "×",
    },
    { name: "the same from clients that call the C library, one shard", value: leanOne, unit: "×" },
    {
      name: "the same of a bare loop of Deno's in two Workers, which reads no packet: the limit",
      value: median(bareLoop),
      unit: "×",
    },
  ];
}

/** Of all but the last to the last: medians of rounds in turns. */
async function leanRatios(
  brokers: readonly Pick<Broker, "mqttPort">[],
  rounds: number,
  count: number,
): Promise<number[]> {
  const ratios: number[][] = brokers.slice(1).map(() => []);
  for (let round = 0; round <= rounds; round++) {
    const perS: number[] = [];
    for (const { mqttPort } of brokers) perS.push(await leanRate(mqttPort, count));
    if (round === 0) continue; // Their first: a table of ports that nobody has used.
    for (const [at, of] of ratios.entries()) of.push(perS[at]! / perS.at(-1)!);
  }
  return ratios.map(median);
}

/** The same as {@linkcode connectRate} by `connect_storm.ts`. */
async function leanRate(port: number, count: number): Promise<number> {
  const script = new URL("./connect_storm.ts", import.meta.url).pathname;
  const flags = ["--no-prompt", "--allow-ffi"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, script, String(port), String(count), `lean-${ids++}`],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error("connect_storm.ts failed");
  return Number(new TextDecoder().decode(stdout));
}

/** Connections a second over so many of them. */
async function connectRate(port: number, count: number): Promise<number> {
  const packets = Array.from({ length: count }, () => connectPacket(`connect-${ids++}`));
  let next = 0;
  const some = async () => {
    const answer = new Uint8Array(4);
    while (next < count) {
      const packet = packets[next++]!;
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(packet);
      for (let at = 0; at < answer.length;) {
        const read = await connection.read(answer.subarray(at));
        if (read === null) throw new Error("the broker closed the connection before CONNACK");
        at += read;
      }
      if (answer[3] !== accepted) throw new Error(`the broker refused: ${answer}`);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: dialsAtOnce }, some));
  return count / (performance.now() - startMs) * 1_000;
}
