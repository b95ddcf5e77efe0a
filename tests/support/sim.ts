/**
 * The simulator as a test runs it: a process of its own.
 *
 * @module
 */
import { type Fields, isFields } from "../../runtime/fields.ts";
import { startFlags } from "./sluice.ts";

const root = new URL("../../", import.meta.url).pathname;

/** What commands of the simulator ended with. */
export interface SimResult {
  readonly code: number;
  /** The line that `--json` prints, of each command. */
  readonly reports: readonly Fields[];
  readonly stderr: string;
}

/** A run of the simulator that goes on beside the test. */
export interface SimRun {
  readonly done: Promise<SimResult>;
  /** Tells it to end; it finishes what it has begun. */
  stop(): void;
}

/** Runs `sim <args> --json` to its end. */
export async function sim(
  args: readonly string[],
): Promise<{ readonly code: number; readonly report: Fields; readonly stderr: string }> {
  const { code, reports, stderr } = await startSim([args]).done;
  return { code, report: reports[0]!, stderr };
}

/** Starts all of the commands, with `--json`, in one process: each process costs CPU of its own. */
export function startSim(commands: readonly (readonly string[])[]): SimRun {
  const args = commands.flatMap((command, i) => [
    ...i === 0 ? [] : ["--and"],
    ...command,
    "--json",
  ]);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...startFlags, `${root}sim/main.ts`, ...args],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let ended = false;
  return {
    done: child.output().finally(() => ended = true).then((output) =>
      resultOf(args, commands.length, output)
    ),
    stop: () => {
      if (!ended) child.kill("SIGTERM");
    },
  };
}

function resultOf(
  args: readonly string[],
  commands: number,
  output: Deno.CommandOutput,
): SimResult {
  const stdout = new TextDecoder().decode(output.stdout).trim();
  const stderr = new TextDecoder().decode(output.stderr);
  const lines = stdout.split("\n").slice(-commands);
  try {
    const reports = lines.map((line): unknown => JSON.parse(line));
    if (reports.length === commands && reports.every(isFields)) {
      return { code: output.code, reports, stderr };
    }
    throw new TypeError(`Expected ${commands} reports`);
  } catch (cause) {
    throw new Error(`sim ${args.join(" ")} did not report: ${stdout} ${stderr}`, { cause });
  }
}
