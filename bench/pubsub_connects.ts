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
import { connectPacket } from "./pubsub_client.ts";
import type { Broker } from "./pubsub_state.ts";

const dialsAtOnce = 32;
/** V8 has not compiled and laid out all it needs before: until then a connect takes half as much again. */
const warmUpCount = 60_000;
const accepted = 0;

let ids = 0;

/** Connects and their CPU, of Sluice and of the bare loop, beside Mosquitto's. */
export async function connectFigures(
  own: Broker,
  mosquitto: Broker,
  { quick, say }: BenchOptions,
): Promise<Figure[]> {
  const rounds = quick ? 1 : 7;
  const port = freePort();
  const flags = ["--no-prompt", "--allow-net=127.0.0.1", "--allow-read"];
  await using bare = await startChild("./bare_connects.ts", flags, [String(port)]);
  const sides = [own, mosquitto, { process: bare, mqttPort: port }];
  const ratios: { readonly own: number[]; readonly bare: number[] } = { own: [], bare: [] };
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
    ratios.own.push(perS[0]! / perS[1]!);
    ratios.bare.push(perS[2]! / perS[1]!);
    seen.push(
      `${perS.map(perSecond).join(" to ")}, ` +
        `CPU ${cpuUs.map((us) => us.toFixed(0)).join(" to ")} µs`,
    );
    say(`connects, Sluice to Mosquitto to a bare loop: ${seen.at(-1)!}`);
  }
  return [
    {
      name: "CONNECT to CONNACK, then closed: connects/s against Mosquitto's",
      value: median(ratios.own),
      unit: "×",
      target: { atLeast: 0.8 },
      detail: `Sluice to Mosquitto to a bare loop: ${seen.join("; ")}`,
    },
    {
      name: "the same of a bare loop of Deno's, which reads no packet: the limit",
      value: median(ratios.bare),
      unit: "×",
    },
  ];
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
