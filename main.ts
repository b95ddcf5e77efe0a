/**
 * The composition root: configuration → topology → start → signals → drain.
 *
 * @module
 */
import { ConfigError, loadConfig, printableConfig } from "./config.ts";
import { accountUsage } from "./config/account_command.ts";
import { parseCommandLine, usage } from "./config/command_line.ts";
import { type ExitCode, exitCodes } from "./config/exit_codes.ts";
import { RouteError } from "./actors/route.ts";
import { DirectoryInUseError } from "./actors/segment_log/lock.ts";
import { AccountError } from "./gateways/auth/accounts.ts";
import { AccountsAwayError } from "./gateways/auth/accounts_away.ts";
import { LineWriter } from "./gateways/log/line_writer.ts";
import { logger, startLog } from "./gateways/log/log.ts";
import { stdoutLines, writeStdout } from "./gateways/log/stdout.ts";
import { systemClock } from "./runtime/clock.ts";
import { onUncaught } from "./runtime/uncaught.ts";
import { StoreAwayError, StoreFileError } from "./gateways/store/store_database.ts";
import { runAccountCommand } from "./topology/account_commands.ts";
import { effectiveConfig } from "./topology/effective_config.ts";
import { ListenError } from "./topology/ports.ts";
import { compareConfiguration } from "./topology/reload.ts";
import { directoryGoneName, Service, version } from "./topology/service.ts";

const log = logger("main");

async function main(args: readonly string[]): Promise<ExitCode> {
  const env = Deno.env.toObject();
  const command = parseCommandLine(args, env);
  switch (command.kind) {
    case "help":
      writeStdout(`${usage}\n`);
      return exitCodes.ok;
    case "account_help":
      writeStdout(`${accountUsage}\n`);
      return exitCodes.ok;
    case "account": {
      const { config } = await loadConfig(command.configFile, env);
      const lines = await runAccountCommand(command.command, config, cliActor(env), firstLine);
      writeLines(lines);
      return exitCodes.ok;
    }
    case "version":
      writeStdout(`sluice ${version}\n`);
      return exitCodes.ok;
    case "usage_error":
      writeStderr(`${command.message}\n\n${command.usage}\n`);
      return exitCodes.usage;
    case "print_config":
    case "start": {
      const { config, warnings } = await loadConfig(command.configFile, env);
      if (command.kind === "print_config") {
        writeStdout(`${printableConfig(effectiveConfig(config))}\n`);
        return exitCodes.ok;
      }
      startLog({ level: config.log.level, format: config.log.format });
      const hangUp = onHangUp();
      for (const warning of warnings) log.warn(warning);
      const service = await Service.start(config);
      onUncaught(globalThis, (cause) => service.giveUp(cause));
      for (const line of service.endpoints) stdoutLines.write(`${line}\n`);
      stdoutLines.write(`sluice ${version} is ready\n`);
      hangUp.handler = async () => {
        await service.reload();
        await compareConfiguration(config, command.configFile, env);
      };
      return await untilEnd(service);
    }
    default:
      return command satisfies never;
  }
}

/**
 * SIGHUP is for taking files anew; before there is a handler it is ignored. In a terminal it says
 * that the terminal is gone, and ends the service as ever.
 */
function onHangUp(): { handler: () => Promise<void> } {
  const hangUp = { handler: () => Promise.resolve() };
  if (!Deno.stdin.isTerminal()) Deno.addSignalListener("SIGHUP", () => hangUp.handler());
  return hangUp;
}

/**
 * One Ctrl-C comes twice under `deno task`: from the terminal, which tells its whole process group,
 * and from the task, which passes it on. What follows within this time is the same Ctrl-C.
 */
const sameInterruptMs = 300;

/** Runs until a signal, or until the service cannot go on. A second signal ends it at once. */
async function untilEnd(service: Service): Promise<ExitCode> {
  const signalled = Promise.withResolvers<"signal">();
  let signals = 0;
  let interruptedMs = -Infinity;
  const onSignal = (code: ExitCode): void => {
    if (signals++ > 0) Deno.exit(code);
    signalled.resolve("signal");
  };
  Deno.addSignalListener("SIGINT", () => {
    const nowMs = systemClock.monotonic();
    if (nowMs - interruptedMs < sameInterruptMs) return;
    interruptedMs = nowMs;
    onSignal(exitCodes.interrupted);
  });
  Deno.addSignalListener("SIGTERM", () => onSignal(exitCodes.terminated));
  const end = await Promise.race([signalled.promise, service.failed]);
  const { late } = await service.stop();
  if (end !== "signal") {
    return end.name === directoryGoneName ? exitCodes.dataDir : exitCodes.internal;
  }
  if (late.length > 0) {
    log.warn("shutdown passed a deadline; what was acknowledged is on disk", { late });
    return exitCodes.deadline;
  }
  log.info("ended in good order");
  return exitCodes.ok;
}

/** Who is named in the audit log for what the command line does. */
const cliActor = (env: Readonly<Record<string, string>>): string =>
  `cli:${env.SUDO_USER ?? env.USER ?? env.LOGNAME ?? "unknown"}`;

/** Whoever reads them may have seen enough, as `head` does: that is no failure of the command. */
function writeLines(lines: readonly string[]): void {
  try {
    for (const line of lines) writeStdout(`${line}\n`);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** The first line of stdin. */
async function firstLine(): Promise<string> {
  const text = await new Response(Deno.stdin.readable).text();
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** The exit code of an error that has been foreseen. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError || error instanceof RouteError) return exitCodes.config;
  if (error instanceof Error && isFailure(error.cause, RouteError.name)) return exitCodes.config;
  for (const { name } of [StoreFileError, StoreAwayError]) {
    if (error instanceof Error && isFailure(error.cause, name)) return exitCodes.dataDir;
  }
  if (error instanceof AccountError) return exitCodes.usage;
  if (error instanceof RangeError) return exitCodes.config;
  if (error instanceof ListenError || error instanceof AccountsAwayError) {
    return exitCodes.unavailable;
  }
  if (error instanceof DirectoryInUseError) return exitCodes.dataDir;
  if (error instanceof Error && error.message.startsWith("Cannot use the data directory")) {
    return exitCodes.dataDir;
  }
  return exitCodes.internal;
}

/** An error of that class in a Worker, which is told by its name. */
const isFailure = (cause: unknown, name: string): boolean =>
  typeof cause === "object" && cause !== null && "name" in cause && cause.name === name;

/** Where it cannot be written, the exit code says it all the same. */
function writeStderr(text: string): void {
  new LineWriter((bytes) => Deno.stderr.writeSync(bytes)).write(text);
}

if (import.meta.main) {
  let code: ExitCode;
  try {
    code = await main(Deno.args);
  } catch (error) {
    code = exitCodeOf(error);
    const foreseen = code !== exitCodes.internal && error instanceof Error;
    writeStderr(`sluice: ${foreseen ? error.message : Deno.inspect(error)}\n`);
  }
  Deno.exit(code);
}
