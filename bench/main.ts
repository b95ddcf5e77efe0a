/**
 * `deno task bench`: every performance target beside what is measured, in one run on this machine,
 * with the real Mosquitto and VictoriaMetrics.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { againstAdapter } from "./against_adapter.ts";
import { brokerFed } from "./broker_fed.ts";
import { direct } from "./direct.ts";
import { idleSessions } from "./idle_sessions.ts";
import { knownDevices } from "./known_devices.ts";
import { manyDevices } from "./many_devices.ts";
import { type Figure, type Measure, met } from "./measure.ts";
import { messaging } from "./messaging.ts";
import { procText } from "./process_stat.ts";
import { json, table, type Versions } from "./report.ts";
import { pubsub } from "./pubsub.ts";
import { settleLatency } from "./settle_latency.ts";
import { silent } from "./silent.ts";
import { startTime } from "./start_time.ts";

const measures: readonly Measure[] = [
  brokerFed,
  direct,
  againstAdapter,
  settleLatency,
  idleSessions,
  knownDevices,
  manyDevices,
  messaging,
  pubsub,
  silent,
  startTime,
];

const usage = `Usage: deno task bench [--only NAME]… [--quick] [--json]

  --only NAME  only this measure; may be given again: ${measures.map(({ name }) => name).join(", ")}
  --quick      smaller counts, one round: to see that it works
  --json       one JSON object on stdout

Exit codes: 0 every target met · 1 one was missed · 64 wrong flag · 70 a measure failed`;

const exitCodes = { ok: 0, missed: 1, usage: 64, failed: 70 } as const;

function print(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

async function main(args: string[]): Promise<number> {
  const { only, quick, asJson, help } = flags(args);
  if (help) {
    print(Deno.stdout, usage);
    return exitCodes.ok;
  }
  const unknown = only.find((name) => !measures.some((measure) => measure.name === name));
  if (unknown !== undefined) {
    print(Deno.stderr, `unknown measure ${unknown}\n\n${usage}`);
    return exitCodes.usage;
  }
  const figures: Figure[] = [];
  let failed = false;
  for (const { name, title, run } of measures) {
    if (only.length > 0 && !only.includes(name)) continue;
    const say = (text: string) => print(Deno.stderr, `${title}: ${text}`);
    try {
      figures.push(...await run({ quick, say }));
    } catch (error) { // The other measures are worth having.
      failed = true;
      say(`FAILED: ${Deno.inspect(error)}`);
    }
  }
  const versions = await versionsHere();
  print(Deno.stdout, asJson ? json(figures, versions, quick) : forPeople(figures, versions));
  if (failed) return exitCodes.failed;
  return figures.some((figure) => met(figure) === false) ? exitCodes.missed : exitCodes.ok;
}

function flags(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { only = [], quick = false, json = false, help = false } = values;
  return { only, quick, asJson: json, help };
}

function forPeople(figures: readonly Figure[], versions: Versions): string {
  const lines = Object.entries(versions).map(([name, version]) => `${name}: ${version}`);
  return `${table(figures)}\n\n${lines.join("\n")}`;
}

async function versionsHere(): Promise<Versions> {
  const cpu = /^model name\s*: (.*)$/m.exec(procText("cpuinfo"))?.[1];
  return {
    cpu: `${cpu ?? "unknown"}, ${navigator.hardwareConcurrency} cores`,
    linux: Deno.osRelease(),
    deno: `${Deno.version.deno}, V8 ${Deno.version.v8}`,
    mosquitto: await packageVersion("mosquitto"),
    "victoria-metrics": await packageVersion("victoria-metrics"),
  };
}

/** Debian's VictoriaMetrics does not know its own. */
async function packageVersion(name: string): Promise<string> {
  const args = ["--show", "--showformat=${Version}", name];
  try {
    const { stdout } = await new Deno.Command("dpkg-query", { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout) || "not from a Debian package";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "not from a Debian package";
  }
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  const wrongFlag = error instanceof TypeError && "code" in error;
  print(Deno.stderr, wrongFlag ? `${error.message}\n\n${usage}` : Deno.inspect(error));
  Deno.exit(wrongFlag ? exitCodes.usage : exitCodes.failed);
}
