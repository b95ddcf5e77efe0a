/**
 * What Mosquitto forwards to one reader: `mosquitto_sub`, which throws away what it reads.
 *
 * @module
 */
import { findProgram } from "../gateways/testing/programs.ts";
import type { ServerProcess } from "../gateways/testing/server_process.ts";
import { load } from "./load.ts";
import { pause } from "./pause.ts";

export interface ForwardedRun {
  /** From the first message sent to the last one read. */
  readonly perS: number;
  /** CPU of `mosquitto_sub` for each message, in µs. */
  readonly readerCpuUs: number;
}

/** Time for `mosquitto_sub` to connect and subscribe. */
const subscribeMs = 500;

/** Sends `count` messages of QoS 0 through the broker to one reader. */
export async function forwardedRun(
  mosquitto: ServerProcess,
  connections: number,
  count: number,
): Promise<ForwardedRun> {
  const { host, port, url } = mosquitto;
  const read = readerOf(`-h ${host} -p ${port} -t bench/# -C ${count}`);
  await pause(subscribeMs);
  const [sent, reader] = await Promise.all([load(url, { qos: 0, connections, count }), read]);
  return {
    perS: count / (reader.endedMs - sent.startedMs) * 1_000,
    readerCpuUs: reader.cpuS / count * 1e6,
  };
}

/** Runs `mosquitto_sub` under a shell, which knows what its children used once they have ended. */
async function readerOf(
  args: string,
): Promise<{ readonly endedMs: number; readonly cpuS: number }> {
  const { stdout, success } = await new Deno.Command("sh", {
    args: ["-ec", `${findProgram("mosquitto_sub")} ${args} > /dev/null; times`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const endedMs = Date.now();
  const text = new TextDecoder().decode(stdout);
  const times = [...(text.trim().split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  if (!success || times.length !== 2) throw new Error(`mosquitto_sub failed: ${text}`);
  const cpuS = times.reduce((sum, time) => sum + Number(time[1]) * 60 + Number(time[2]), 0);
  return { endedMs, cpuS };
}
