/**
 * `deno task start` to the line that says it is ready, with everything in the caches.
 *
 * @module
 */
import { freePort } from "../gateways/testing/server_process.ts";
import { lineOf } from "./line_of.ts";
import { type BenchOptions, type Figure, type Measure, median } from "./measure.ts";

const root = new URL("../", import.meta.url).pathname;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  await once(); // Fills the caches.
  const times: number[] = [];
  for (let i = 0; i < (quick ? 1 : 5); i++) {
    times.push(await once());
    say(`${Math.round(times.at(-1)!)} ms`);
  }
  return [{
    name: "task start to ready, warm cache",
    value: median(times) / 1_000,
    unit: "s",
    target: { atMost: 1 },
    detail: times.map((ms) => `${Math.round(ms)} ms`).join(", "),
  }];
}

/** Starts it with a new data directory; gives the ms until it is ready. */
async function once(): Promise<number> {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_bench_start_" });
  const startedMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "start"],
    cwd: root,
    env: {
      SLUICE_DATA_DIR: dataDir,
      SLUICE_MQTT_LISTEN: `127.0.0.1:${freePort()}`,
      SLUICE_HTTP_LISTEN: `127.0.0.1:${freePort()}`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    await lineOf(child.stdout, "is ready");
    return performance.now() - startedMs;
  } finally {
    // The task's shell hands signals on to the service.
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(dataDir, { recursive: true });
  }
}

export const startTime: Measure = { name: "start", title: "start", run };
