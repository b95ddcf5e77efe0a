/**
 * Sluice itself as a test sees it: the real process, started from its entry with a configuration
 * and a data directory of its own, killed and started again on the same ports and data.
 *
 * @module
 */
import { freePort, ServerProcess } from "../../gateways/testing/server_process.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A running Sluice. Dispose of it to end it and to remove its data. */
export interface Sluice extends AsyncDisposable {
  readonly process: ServerProcess;
  readonly mqttPort: number;
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly dataDir: string;
}

export interface SluiceOptions {
  /** Beside the listeners, the data directory and the routes for `sim load`'s models. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Beside the routes for `sim load`. */
  readonly routes?: readonly Readonly<Record<string, unknown>>[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of those of `deno task start`. */
  readonly v8Flags?: string;
  /** How much the process gives way to others, as of `nice -n`. */
  readonly niceness?: number;
  /** Instead of `data` in the test's own directory. */
  readonly dataDir?: string;
}

/** The route that `sim load --model bench` needs. */
export const benchRoute = {
  name: "bench",
  topic: "bench/{device}",
  measurement: "bench",
  tags: { device: "{device}" },
  timestamp: { key: "ts" },
};

/** The route that `sim load --model arrival` needs. */
export const arrivalRoute = {
  name: "arrival",
  topic: "arrival/{device}",
  measurement: "arrival",
  tags: { device: "{device}" },
};

/** A route whose devices are code that goes wrong on demand: see device_code/trap.ts. */
export const trapRoute = {
  name: "trap",
  topic: "trap/{device}",
  measurement: "trap",
  tags: { device: "{device}" },
  module: new URL("./device_code/trap.ts", import.meta.url).pathname,
};

/** The flags of `deno task start`. */
export const startFlags: readonly string[] = [
  "--no-prompt",
  "--v8-flags=--initial-old-space-size=64,--max-semi-space-size=16",
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-write",
  "--allow-sys=hostname,statfs",
];

export async function startSluice(options: SluiceOptions = {}): Promise<Sluice> {
  const mqttPort = freePort();
  let dataDir = options.dataDir ?? "";
  const { v8Flags } = options;
  const flags = v8Flags === undefined
    ? startFlags
    : startFlags.map((flag) => flag.startsWith("--v8-flags=") ? `--v8-flags=${v8Flags}` : flag);
  const process = await ServerProcess.start({
    name: "sluice",
    scheme: "http",
    // It listens everywhere then, on a slow machine too, also while the store is away.
    ready: (_port, log) => /^sluice \S+ is ready$/m.test(log),
    async command(port, dir) {
      if (dataDir === "") dataDir = `${dir}/data`;
      const file = `${dir}/sluice.json`;
      const config = {
        dataDir,
        routes: [benchRoute, arrivalRoute, ...options.routes ?? []],
        mqtt: { listen: `127.0.0.1:${mqttPort}` },
        http: { listen: `127.0.0.1:${port}` },
        ...options.config,
      };
      await Deno.writeTextFile(file, JSON.stringify(config));
      const args = ["run", ...flags, `${root}main.ts`, "--config", file];
      const env = { NO_COLOR: "1", ...options.env };
      const program = Deno.execPath();
      const { niceness } = options;
      if (niceness === undefined) return { program, args, env };
      return { program: "nice", args: ["-n", `${niceness}`, program, ...args], env };
    },
  });
  return {
    process,
    mqttPort,
    mqttUrl: `mqtt://127.0.0.1:${mqttPort}`,
    httpUrl: process.url,
    dataDir,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Sums of the readings' metrics over all shards. */
export interface Books {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly deadLettered: number;
  readonly refused: number;
  readonly spool: number;
  readonly inFlight: number;
}

const answerMs = 3_000;
const answerTries = 10;

/**
 * `GET`, tried again when no answer comes: a shard that spins may hold its share of the
 * connections, and so do a process that is stopped and one that is starting.
 */
export async function getText(url: string): Promise<{ ok: boolean; text: string }> {
  for (let tries = 1;; tries++) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
      return { ok: response.ok, text: await response.text() };
    } catch (cause) {
      if (tries === answerTries) throw cause;
    }
  }
}

/** Reads `/metrics`; the function gives the sum of a metric over its series with that label. */
export async function metrics(
  httpUrl: string,
): Promise<(name: string, label?: string) => number> {
  const { text } = await getText(`${httpUrl}/metrics`);
  return (name, label = "") => {
    let total = 0;
    for (const line of text.split("\n")) {
      if (!line.startsWith(`${name}{`) || !line.includes(label)) continue;
      total += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
    return total;
  };
}

/** Reads the books from `/metrics`. */
export async function books(httpUrl: string): Promise<Books> {
  const sum = await metrics(httpUrl);
  const settled = (outcome: string) => sum("sluice_readings_settled_total", `outcome="${outcome}"`);
  return {
    received: sum("sluice_readings_received_total"),
    stored: settled("stored"),
    duplicate: settled("duplicate"),
    deadLettered: settled("dead_lettered"),
    refused: settled("refused"),
    spool: sum("sluice_spool_readings"),
    inFlight: sum("sluice_readings_in_flight"),
  };
}

/** The conservation law of contracts §4; throws, showing the books, when it does not hold. */
export function assertConserved(b: Books): void {
  const settled = b.stored + b.duplicate + b.deadLettered + b.refused;
  if (b.received !== settled + b.spool + b.inFlight) {
    throw new Error(`the books do not balance: ${JSON.stringify(b)}`);
  }
}

/** Waits until everything that came in is settled, and gives the books then. */
export async function settledBooks(httpUrl: string): Promise<Books> {
  let last: Books | undefined;
  await until("settled", async () => {
    last = await books(httpUrl);
    return last.spool === 0 && last.inFlight === 0;
  }).catch((cause) => {
    throw new Error(`not settled: ${JSON.stringify(last)}`, { cause });
  });
  return last!;
}

/** What comes soon is seen soon, and a long wait is cheap. */
const pollMs = { min: 5, max: 100, growth: 1.3 };

/** Calls `check` until it answers true. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  deadlineMs = 120_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (
    let waitMs = pollMs.min;
    !await check();
    waitMs = Math.min(waitMs * pollMs.growth, pollMs.max)
  ) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await new Promise((done) => setTimeout(done, waitMs));
  }
}
