/**
 * What a session costs that is connected and silent: the growth of Sluice's resident memory.
 *
 * @module
 */
import { startSluice } from "../tests/support/sluice.ts";
import { lineOf } from "./line_of.ts";
import type { BenchOptions, Figure, Measure } from "./measure.ts";
import { pause } from "./pause.ts";
import { procText, rssBytes } from "./process_stat.ts";

/** Sessions that come first and are not counted: code and pools that do not grow with each. */
const first = 1_000;
/** Memory of the handshakes is given back meanwhile. */
const settleMs = 5_000;
const openFilesMax = 65_536;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const sessions = quick ? 4_000 : 15_000;
  await using sluice = await startSluice();
  const { pid } = sluice.process;
  await raiseOpenFiles(pid);
  await using _first = await clients(sluice.mqttPort, first);
  await pause(settleMs);
  const beforeBytes = rssBytes(pid);
  await using _others = await clients(sluice.mqttPort, sessions - first);
  await pause(settleMs);
  const afterBytes = rssBytes(pid);
  const metrics = await (await fetch(`${sluice.httpUrl}/metrics`)).text();
  const connected = [...metrics.matchAll(/^sluice_sessions\{.*transport="mqtt".*\} (\d+)$/gm)]
    .reduce((sum, match) => sum + Number(match[1]), 0);
  if (connected !== sessions) throw new Error(`${connected} of ${sessions} sessions are there`);
  const eachKb = (afterBytes - beforeBytes) / (sessions - first) / 1_000;
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  say(`${eachKb.toFixed(1)} KB each`);
  return [{
    name: `idle direct sessions, ${sessions.toLocaleString("en")}: resident memory of each`,
    value: eachKb,
    unit: "KB",
    target: { atMost: 10 },
    detail: `${mb(beforeBytes)} MB with ${first.toLocaleString("en")}, ` +
      `${mb(afterBytes)} MB with ${sessions.toLocaleString("en")}`,
  }];
}

/** The kernel's limit for a process that runs; Deno has taken as much as it might by itself. */
async function raiseOpenFiles(pid: number): Promise<void> {
  const limit = /^Max open files\s+(\d+)/m.exec(procText(`${pid}/limits`));
  if (Number(limit?.[1]) >= openFilesMax) return;
  await new Deno.Command("prlimit", {
    args: ["--pid", String(pid), `--nofile=${openFilesMax}`],
    stdout: "null",
    stderr: "null",
  }).output(); // Where that is not allowed, the count of sessions below says so.
}

/** A process with so many silent clients. */
async function clients(port: number, count: number): Promise<AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL("./idle_clients.ts", import.meta.url).pathname,
      String(port),
      String(count),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await lineOf(child.stdout, "ready");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

export const idleSessions: Measure = { name: "sessions", title: "idle sessions", run };
