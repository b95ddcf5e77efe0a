/**
 * Reads the configuration: file, then environment on top, checked against the option table in
 * config/options.ts.
 *
 * @module
 */
import type { ErrorObject } from "ajv";
import { readEnvironment } from "./config/environment.ts";
import { formats } from "./config/formats.ts";
import { publishedSchema } from "./config/json_schema.ts";
import { masked } from "./config/mask.ts";
import { type Config, options } from "./config/options.ts";
import { plainValue } from "./config/plain_values.ts";
import { hiddenProblemsOf, problemsOf } from "./config/problems.ts";
import { contradictions, warnings } from "./config/rules.ts";
import { jsonFault } from "./gateways/http/json_fault.ts";
import { messageOf } from "./runtime/message_of.ts";

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
 * @param known what is wrong with it already.
 * Rejects with a {@linkcode ConfigError} naming every wrong key, and what is allowed there.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import assert from "node:assert/strict";
 *
 * const { config } = await parseConfig({ spool: { keepMs: 15_000 } }, { SLUICE_SHARDS: "2" });
 * assert.equal(config.spool.keepMs, 15_000);
 * assert.equal(config.shards, 2);
 * assert.equal(config.mqtt.listen, "127.0.0.1:1883");
 * await assert.rejects(parseConfig({ spol: {} }), /spol: unknown key; did you mean spool\?/);
 * ```
 */
export async function parseConfig(
  file: unknown,
  env: Readonly<Record<string, string>> = {},
  source = "configuration",
  known: readonly string[] = [],
): Promise<LoadedConfig> {
  const input: unknown = structuredClone(file);
  const { values, problems } = readEnvironment(options, env);
  const variables = new Map<string, string>();
  for (const { path, variable, value } of values) {
    if (setAt(input, path, value)) variables.set(path.join("."), variable);
  }
  // What a variable hides is to be of the right type all the same.
  const hidden = (errors: readonly ErrorObject[]): string[] =>
    hiddenProblemsOf(options, errors, file, variables);
  const written = variables.size > 0 ? await checked(structuredClone(file), hidden) : [];
  const config = await checked(
    input,
    (errors) => problemsOf(options, errors, input, variables),
  );
  const found = new Set([
    ...known,
    ...problems,
    ...(Array.isArray(written) ? written : []),
    ...(Array.isArray(config) ? config : contradictions(config)),
  ]);
  if (!Array.isArray(config) && found.size === 0) return { config, warnings: warnings(config) };
  throw new ConfigError(source, [...found]);
}

/**
 * Reads and checks the configuration of a process.
 *
 * @param path the file, or `undefined` for defaults and environment alone.
 * @throws {ConfigError} also when the file cannot be read or is not JSON.
 */
export async function loadConfig(
  path: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<LoadedConfig> {
  if (path === undefined) return await parseConfig({}, env, "environment");
  const text = readText(path);
  const file = parseJson(path, text);
  const { repeatedKeys } = await import("./config/repeated_keys.ts");
  return await parseConfig(file, env, path, repeatedKeys(text));
}

/** The effective configuration as JSON, for `--print-config`: secrets are `***`. */
export function printableConfig(config: Config): string {
  return JSON.stringify(masked(options, config), undefined, 2);
}

/** Loads ajv only for what cannot be told without it. */
async function checked(
  input: unknown,
  problems: (errors: readonly ErrorObject[]) => string[],
): Promise<Config | string[]> {
  const plain = plainValue(publishedSchema(options), input, formats);
  if (isPlainConfig(plain)) return plain;
  const { isConfig } = await import("./config/schema_check.ts");
  return isConfig(input) ? input : problems(isConfig.errors ?? []);
}

/** Whether {@linkcode plainValue}, which follows the schema of `Config`, knew the input to fit. */
const isPlainConfig = (plain: unknown): plain is Config => plain !== undefined;

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new ConfigError(path, [`cannot be read: ${messageOf(cause)}`]);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(path, [`is not JSON: ${jsonFault(text)}`]);
  }
}

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
