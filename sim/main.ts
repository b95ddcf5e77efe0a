/**
 * The simulator: devices to play with, load to measure with, and the check that nothing that was
 * acknowledged is missing. Speaks to the service over its public protocols only.
 *
 * @module
 */
import { type CommandContext, runnable, type RunnableCommand } from "./command.ts";
import { CommandError, type ExitCode, exitCodes } from "./exit_code.ts";
import { fleetCommand } from "./fleet/command.ts";
import { loadCommand } from "./load/command.ts";
import { stationCommand } from "./station/command.ts";
import { verifyCommand } from "./verify/command.ts";

const commands: readonly RunnableCommand[] = [
  runnable(fleetCommand),
  runnable(loadCommand),
  runnable(stationCommand),
  runnable(verifyCommand),
];

/** Between commands that run at once. */
const and = "--and";

/**
 * Runs the simulator with the arguments of a command line. Of several commands each prints when all
 * have ended, in the order they are in; one that fails ends the others.
 */
export async function simulate(
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const runs = runsOf(args);
  if (runs.length === 1) return await run(args, context);
  const failed = new AbortController();
  const stop = AbortSignal.any([context.stop, failed.signal]);
  const ends = await Promise.allSettled(runs.map(async (own, i) => {
    const lines: string[] = [];
    try {
      return { lines, code: await run(own, { print: (line) => lines.push(line), stop }) };
    } catch (cause) {
      failed.abort();
      if (!(cause instanceof CommandError)) throw cause;
      const message = `command ${i + 1}, ${own[0]}: ${cause.message}`;
      throw new CommandError(cause.exitCode, message, { cause });
    }
  }));
  let worst: ExitCode = exitCodes.ok;
  for (const ended of ends) {
    if (ended.status === "rejected") throw ended.reason;
    for (const line of ended.value.lines) context.print(line);
    if (ended.value.code > worst) worst = ended.value.code;
  }
  return worst;
}

function runsOf(args: readonly string[]): string[][] {
  const runs: string[][] = [[]];
  for (const arg of args) {
    if (arg === and) runs.push([]);
    else runs.at(-1)!.push(arg);
  }
  return runs;
}

async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h") {
    context.print(usage());
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    throw new CommandError(exitCodes.usage, `unknown command ${name}\n${usage()}`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    context.print(command.help());
    return exitCodes.ok;
  }
  return await command.run(rest, context);
}

function usage(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`);
  return `Usage: deno task sim <command> [flags] [${and} <command> [flags]]…\n\n${
    lines.join("\n")
  }\n\n--help on each shows its flags; commands with ${and} between them run at once.`;
}

if (import.meta.main) {
  const encoder = new TextEncoder();
  const stop = new AbortController();
  // One Ctrl-C comes twice under `deno task`: from the terminal, and passed on by the task.
  const sameInterruptMs = 300;
  let interruptedMs = -Infinity;
  Deno.addSignalListener("SIGINT", () => {
    const nowMs = performance.now();
    if (nowMs - interruptedMs < sameInterruptMs) return;
    interruptedMs = nowMs;
    if (stop.signal.aborted) Deno.exit(130);
    stop.abort();
  });
  Deno.addSignalListener("SIGTERM", () => {
    if (stop.signal.aborted) Deno.exit(143);
    stop.abort();
  });
  try {
    Deno.exit(
      await simulate(Deno.args, {
        print: (text) => {
          Deno.stdout.writeSync(encoder.encode(`${text}\n`));
        },
        stop: stop.signal,
      }),
    );
  } catch (error) {
    const known = error instanceof CommandError;
    const text = known ? error.message : error instanceof Error ? error.stack : String(error);
    Deno.stderr.writeSync(encoder.encode(`sim: ${text}\n`));
    Deno.exit(known ? error.exitCode : exitCodes.internal);
  }
}
