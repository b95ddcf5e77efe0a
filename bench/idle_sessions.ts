/**
 * What a session costs that is connected and silent: the growth of Sluice's resident memory.
 *
 * @module
 */
import { startSluice } from "../tests/support/sluice.ts";
import { idleClients, raiseOpenFiles } from "./client_process.ts";
import type { BenchOptions, Figure, Measure } from "./measure.ts";
import { pause } from "./pause.ts";
import { rssBytes } from "./process_stat.ts";

/** Sessions that come first and are not counted: code and pools that do not grow with each. */
const first = 1_000;
/** Memory of the handshakes is given back meanwhile. */
const settleMs = 5_000;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const sessions = quick ? 4_000 : 15_000;
  await using sluice = await startSluice();
  const { pid } = sluice.process;
  await raiseOpenFiles(pid);
  await using _first = await idleClients(sluice.mqttPort, first);
  await pause(settleMs);
  const beforeBytes = rssBytes(pid);
  await using _others = await idleClients(sluice.mqttPort, sessions - first);
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

export const idleSessions: Measure = { name: "sessions", title: "idle sessions", run };
