/**
 * Reads the configuration: file, then environment on top, checked against the option table in
 * config/options.ts.
 *
 * @module
 */
import { Ajv } from "ajv";
import { readEnvironment } from "./config/environment.ts";
import { formats } from "./config/formats.ts";
import { publishedSchema } from "./config/json_schema.ts";
import { masked } from "./config/mask.ts";
import { type Config, options } from "./config/options.ts";
import { problemsOf } from "./config/problems.ts";
import { contradictions, warnings } from "./config/rules.ts";

export type { Config };

/** What is wrong with a configuration, all of it at once, one sentence each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(`${source}:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** A configuration that was accepted. */
export interface LoadedConfig {
  readonly config: Config;
  /** What works but is likely not what was meant: for the log at start. */
  readonly warnings: readonly string[];
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @param file what the configuration file holds, parsed; `{}` without one.
 * @param env the environment; variables win over the file.
 * @param source names the file in errors.
 * @throws {ConfigError} naming every wrong key, and what is allowed there.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import assert from "node:assert/strict";
 *
 * const { config } = parseConfig({ spool: { keepMs: 15_000 } }, { SLUICE_SHARDS: "2" });
 * assert.equal(config.spool.keepMs, 15_000);
 * assert.equal(config.shards, 2);
 * assert.equal(config.mqtt.listen, "127.0.0.1:1883");
 * assert.throws(() => parseConfig({ spol: {} }), /spol: unknown key; did you mean spool\?/);
 * ```
 */
export function parseConfig(
  file: unknown,
  env: Readonly<Record<string, string>> = {},
  source = "configuration",
): LoadedConfig {
  const input: unknown = structuredClone(file);
  const { values, problems } = readEnvironment(options, env);
  const variables = new Map<string, string>();
  for (const { path, variable, value } of values) {
    if (setAt(input, path, value)) variables.set(path.join("."), variable);
  }
  const found = [...problems];
  if (isConfig(input)) {
    found.push(...contradictions(input));
    if (found.length === 0) return { config: input, warnings: warnings(input) };
  } else {
    const errors = isConfig.errors ?? [];
    found.push(...problemsOf(options, errors, input, (path) => variables.get(path)));
  }
  throw new ConfigError(source, found);
}

/**
 * Reads and checks the configuration of a process.
 *
 * @param path the file, or `undefined` for defaults and environment alone.
 * @throws {ConfigError} also when the file cannot be read or is not JSON.
 */
export function loadConfig(
  path: string | undefined,
  env: Readonly<Record<string, string>>,
): LoadedConfig {
  return path === undefined
    ? parseConfig({}, env, "environment")
    : parseConfig(readJson(path), env, path);
}

/** The effective configuration as JSON, for `--print-config`: secrets are `***`. */
export function printableConfig(config: Config): string {
  return JSON.stringify(masked(options, config), undefined, 2);
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  ownProperties: true,
  strict: true,
  allowUnionTypes: true,
});
for (const format of formats) ajv.addFormat(format.name, format.accepts);
const isConfig = ajv.compile<Config>(publishedSchema(options));

function readJson(path: string): unknown {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    throw new ConfigError(path, [`cannot be read: ${messageOf(cause)}`]);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new ConfigError(path, [`is not JSON: ${messageOf(cause)}`]);
  }
}

const messageOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

/** Sets a value below `root`, making objects on the way; false when something else is in the way. */
function setAt(root: unknown, path: readonly string[], value: unknown): boolean {
  let at = root;
  for (const [i, key] of path.entries()) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return false;
    if (i === path.length - 1) return Reflect.set(at, key, value);
    if (!Object.hasOwn(at, key)) Reflect.set(at, key, {});
    at = Reflect.get(at, key);
  }
  return false;
}
