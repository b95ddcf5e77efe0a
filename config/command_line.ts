/**
 * The flags of `sluice`.
 *
 * @module
 */
import { type AccountCommand, accountUsage, parseAccountCommand } from "./account_command.ts";
import { suggest } from "./suggest.ts";

/** What the command line asks for. */
export type Command =
  | { readonly kind: "start"; readonly configFile?: string }
  | { readonly kind: "print_config"; readonly configFile?: string }
  | { readonly kind: "account"; readonly command: AccountCommand; readonly configFile?: string }
  | { readonly kind: "help" }
  | { readonly kind: "account_help" }
  | { readonly kind: "version" }
  /** Not understood: exit code `usage`. */
  | { readonly kind: "usage_error"; readonly message: string; readonly usage: string };

export const usage = `Sluice takes readings from devices and stores them as time series.

Usage: deno task start [flags]
       deno task account <add|list|grant|…>   (account --help tells more)

  --config FILE    configuration, JSON (default: $SLUICE_CONFIG, else the built-in defaults)
  --print-config   show the effective configuration, secrets masked, and exit
  --version        show the version and exit
  --help           show this and exit

Every option can also be set by a SLUICE_… variable; see docs/configuration.md.
Exit codes: 0 ended in good order · 64 wrong flag · 69 port in use · 70 internal error ·
73 data directory not usable · 75 shutdown passed a deadline · 78 configuration refused ·
130, 143 ended at once by a second SIGINT, SIGTERM`;

const flags = ["--config", "--print-config", "--version", "--help"];

/**
 * Reads the command line; a file named by `--config` wins over `SLUICE_CONFIG`.
 *
 * @example
 * ```ts
 * import { parseCommandLine, usage } from "./command_line.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseCommandLine(["--config", "a.json"], {}), {
 *   kind: "start",
 *   configFile: "a.json",
 * });
 * assert.deepEqual(parseCommandLine(["--confg"], {}), {
 *   kind: "usage_error",
 *   message: "unknown flag --confg; did you mean --config?",
 *   usage,
 * });
 * ```
 */
export function parseCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Command {
  let kind: "start" | "print_config" = "start";
  let configFile = env.SLUICE_CONFIG === "" ? undefined : env.SLUICE_CONFIG;
  if (args[0] === "account") return accountCommand(args.slice(1), configFile);
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = splitOnce(args[i]!);
    if (inline !== undefined && flag !== "--config" && flags.includes(flag)) {
      return { kind: "usage_error", message: `${flag} takes no value`, usage };
    }
    switch (flag) {
      case "--help":
      case "-h":
        return { kind: "help" };
      case "--version":
      case "-V":
        return { kind: "version" };
      case "--print-config":
        kind = "print_config";
        break;
      case "--config":
        configFile = inline ?? args[++i];
        if (configFile === undefined || configFile === "" || configFile.startsWith("--")) {
          return { kind: "usage_error", message: "--config needs a file name", usage };
        }
        break;
      default:
        return { kind: "usage_error", message: unknown(args[i]!, flag), usage };
    }
  }
  return configFile === undefined ? { kind } : { kind, configFile };
}

function accountCommand(args: readonly string[], fromEnv: string | undefined): Command {
  if (args.includes("--help") || args.includes("-h")) return { kind: "account_help" };
  const command = parseAccountCommand(args);
  if (typeof command === "string") {
    return { kind: "usage_error", message: command, usage: accountUsage };
  }
  const configFile = command.configFile ?? fromEnv;
  return { kind: "account", command, ...(configFile === undefined ? {} : { configFile }) };
}

function splitOnce(arg: string): [string, string | undefined] {
  const at = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

function unknown(arg: string, flag: string): string {
  if (!arg.startsWith("-")) return `unexpected argument ${JSON.stringify(arg)}`;
  const near = suggest(flag, flags);
  return `unknown flag ${flag}${near === undefined ? "" : `; did you mean ${near}?`}`;
}
