/**
 * What every command of the simulator has in common.
 *
 * @module
 */
import type { ExitCode } from "./exit_code.ts";
import { describeOptions, type OptionTable, type OptionValues, parseOptions } from "./options.ts";

/** What a command gets from the process. */
export interface CommandContext {
  /** A line on stdout. */
  print(text: string): void;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
}

/** One of the simulator's commands. Throws a `CommandError` for what the user can put right. */
export interface Command<T extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  readonly options: T;
  readonly notes: string;
  run(options: OptionValues<T>, context: CommandContext): Promise<ExitCode>;
}

/** A command with its options' types closed in. */
export interface RunnableCommand {
  readonly name: string;
  readonly summary: string;
  help(): string;
  run(args: readonly string[], context: CommandContext): Promise<ExitCode>;
}

export function runnable<T extends OptionTable>(command: Command<T>): RunnableCommand {
  const { name, summary, options, notes } = command;
  return {
    name,
    summary,
    help: () =>
      `sim ${name}: ${summary}\n\nUsage: deno task sim ${name} [flags]\n\n` +
      `${describeOptions(options)}\n\n${notes}`,
    run: (args, context) => command.run(parseOptions(options, args), context),
  };
}
