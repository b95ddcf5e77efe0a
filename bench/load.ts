/**
 * Load by the simulator in a process of its own, each run with times of its own, so that what the
 * store holds of one run can be told from the others.
 *
 * @module
 */
import { sim } from "../tests/support/sim.ts";

export interface LoadFlags {
  readonly qos: 0 | 1;
  readonly connections: number;
  readonly devices?: number;
  /** Messages in all; instead of a duration. */
  readonly count?: number;
  readonly durationS?: number;
  /** Messages a second; flat out when absent. */
  readonly rate?: number;
}

/** One run. Times in ms since the epoch. */
export interface LoadResult {
  readonly sent: number;
  readonly startedMs: number;
  readonly cpuUsPerMessage: number;
  /** From when a message was due to its acknowledgement. */
  readonly latencyMs: Readonly<Record<"p50" | "p99" | "p999" | "max", number>>;
  /** The readings' own times lie in here. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Between the own times of one run and those of the next. */
const gapMs = 1_000;
let nextFromMs = 0;

const window = 100;
/** Messages a second that no run reaches. */
const flatOutMax = 1_000_000;
/** How much more than the mean a device may send. */
const unevenMax = 4;

/** Runs `sim load` with the model `bench`: 91 bytes, 4 numbers, own time. */
export async function load(url: string, flags: LoadFlags): Promise<LoadResult> {
  const { qos, connections, devices = connections, count, durationS = 300, rate } = flags;
  // Close to now: a store may take what is of this hour faster than what is old.
  const fromMs = Math.max(nextFromMs, Date.now());
  const messages = count ?? durationS * (rate ?? flatOutMax);
  // Devices of one connection take turns, but connections need not send equally much.
  const toMs = fromMs + Math.ceil(messages / devices * unevenMax) + gapMs;
  nextFromMs = toMs;
  const account = await Deno.makeTempFile({ prefix: "sluice_bench_account_" });
  try {
    const { code, report, stderr } = await sim([
      "load",
      ...["--url", url, "--model", "bench", "--account", account, "--quiet"],
      ...["--qos", String(qos), "--window", String(window), "--keep-alive-s", "0"],
      ...["--connections", String(connections), "--devices", String(devices)],
      ...["--start-ms", String(fromMs), "--step-ms", "1", "--duration-s", String(durationS)],
      ...(count === undefined ? [] : ["--count", String(count)]),
      ...(rate === undefined ? [] : ["--rate", String(rate)]),
    ]);
    if (code !== 0) throw new Error(`sim load failed: ${JSON.stringify(report)} ${stderr}`);
    const number = (of: unknown, name: string): number => {
      const value: unknown = Object(of)[name];
      if (typeof value !== "number") throw new TypeError(`sim load: no number ${name}`);
      return value;
    };
    const sinceDue: unknown = Object(report.latencyMs).sinceDue;
    return {
      sent: number(report, "sent"),
      startedMs: number(report, "startedMs"),
      cpuUsPerMessage: number(report, "cpuUsPerMessage"),
      latencyMs: {
        p50: number(sinceDue, "p50"),
        p99: number(sinceDue, "p99"),
        p999: number(sinceDue, "p999"),
        max: number(sinceDue, "max"),
      },
      fromMs,
      toMs,
    };
  } finally {
    await Deno.remove(account);
  }
}
