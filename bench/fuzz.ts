/**
 * `deno task fuzz`: millions of mutated packets through the parsers and to sessions in this
 * process, then over sockets to a Sluice that runs, with clients beside it that must not notice.
 * Memory is looked at on the way; a failure names its seed.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fuzzParsers } from "../gateways/mqtt/testing/parser_fuzz.ts";
import { fuzzSessions } from "../gateways/mqtt/testing/session_fuzz.ts";
import { Bystanders } from "../tests/support/input.ts";
import { startSluice } from "../tests/support/sluice.ts";
import { fuzzSockets } from "../tests/support/socket_fuzz.ts";
import { rssBytes } from "./process_stat.ts";

const usage = `Usage: deno task fuzz [--seed N] [--count N] [--sessions N] [--sockets N]

  --seed N      of the first input (default: from the clock)
  --count N     inputs to the parsers (default 2000000)
  --sessions N  connections in this process (default a twentieth of that)
  --sockets N   connections to a running Sluice (default a hundredth of that)`;

/** Growth over the second half that is no leak: what the collectors left, in here and over there. */
const growthBytesMax = { heap: 16 * 1024 * 1024, process: 48 * 1024 * 1024 } as const;
const rounds = 10;

function say(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** After a full collection where the flag allows one. */
function heapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed;
}

/** In rounds, half of which warm up; throws when memory grows over the others. */
async function inRounds(
  what: string,
  count: number,
  bytesMax: number,
  bytesNow: () => number,
  run: (done: number, count: number) => void | Promise<void>,
): Promise<void> {
  if (count === 0) return;
  const size = Math.ceil(count / rounds);
  const startedMs = performance.now();
  let warm = 0;
  for (let done = 0; done < count; done += size) {
    await run(done, Math.min(size, count - done));
    if (done === size * (rounds / 2 - 1)) warm = bytesNow();
  }
  const grown = bytesNow() - warm;
  const s = (performance.now() - startedMs) / 1_000;
  say(
    `${what}: ${count.toLocaleString("en")} in ${s.toFixed(1)} s, memory grew by ${
      mb(grown)
    } in the second half`,
  );
  if (grown > bytesMax) throw new Error(`${what}: memory grew by ${mb(grown)}`);
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string" },
      count: { type: "string" },
      sessions: { type: "string" },
      sockets: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return say(usage);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  const count = Number(values.count ?? 2_000_000);
  const sessions = Number(values.sessions ?? Math.floor(count / 20));
  const sockets = Number(values.sockets ?? Math.floor(count / 100));
  if (![seed, count, sessions, sockets].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new TypeError(`Cannot fuzz with such numbers\n\n${usage}`);
  }
  say(`seed ${seed}`);
  await inRounds("parsers", count, growthBytesMax.heap, heapBytes, (done, size) => {
    fuzzParsers(seed + done, size);
  });
  await inRounds(
    "sessions",
    sessions,
    growthBytesMax.heap,
    heapBytes,
    (done, size) => fuzzSessions(seed + done, size),
  );
  if (sockets === 0) return;
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const { process, mqttPort } = sluice;
  await inRounds(
    "sockets",
    sockets,
    growthBytesMax.process,
    () => rssBytes(process.pid),
    async (done, size) => {
      await fuzzSockets(mqttPort, seed + done, size);
      await bystanders.undisturbed();
    },
  );
}

try {
  await main(Deno.args);
} catch (error) {
  say(Deno.inspect(error));
  Deno.exit(1);
}
