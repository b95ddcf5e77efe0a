/**
 * Flags of a command as one table, which gives parsing, checking, defaults and the help text.
 *
 * @module
 */
import { CommandError, exitCodes } from "./exit_code.ts";

/** One flag. Without a `placeholder` it takes no value. */
export interface Option<T> {
  readonly placeholder?: string;
  readonly default: T;
  /** What the help says in place of the default. */
  readonly defaultDoc?: string;
  readonly doc: string;
  /** Throws a `RangeError` that says what is allowed. */
  parse(text: string): T;
}

/** Flags by name: `drainTimeoutS` is given as `--drain-timeout-s`. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** What was chosen: a value for each option of the table. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

type Doc = { readonly doc: string; readonly defaultDoc?: string };

export function flag(spec: Doc): Option<boolean> {
  return { ...spec, default: false, parse: () => true };
}

export function text(spec: Doc & { readonly default: string; readonly of: string }): Option<string>;
export function text(
  spec: Doc & { readonly default: undefined; readonly of: string },
): Option<string | undefined>;
export function text(
  spec: Doc & { readonly default: string | undefined; readonly of: string },
): Option<string | undefined> {
  return {
    ...spec,
    placeholder: spec.of,
    parse(value) {
      if (value === "") throw new RangeError("must not be empty");
      return value;
    },
  };
}

export function choice<const V extends string | number>(
  values: readonly V[],
  spec: Doc & { readonly default: NoInfer<V> },
): Option<V> {
  return {
    ...spec,
    placeholder: values.join("|"),
    parse(value) {
      const found = values.find((candidate) => String(candidate) === value);
      if (found === undefined) throw new RangeError(`must be one of ${values.join(", ")}`);
      return found;
    },
  };
}

interface Bounds {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
}

export function number(
  spec: Doc & Bounds & { readonly default: number; readonly of?: string },
): Option<number>;
export function number(
  spec: Doc & Bounds & { readonly default: undefined; readonly of?: string },
): Option<number | undefined>;
export function number(
  spec: Doc & Bounds & { readonly default: number | undefined; readonly of?: string },
): Option<number | undefined> {
  const { min, max = Number.MAX_SAFE_INTEGER, integer = true } = spec;
  return {
    ...spec,
    placeholder: spec.of ?? "N",
    parse(value) {
      const parsed = value.trim() === "" ? NaN : Number(value);
      if (!(parsed >= min && parsed <= max) || (integer && !Number.isInteger(parsed))) {
        const upTo = spec.max === undefined ? "" : ` and at most ${max}`;
        throw new RangeError(
          `must be ${integer ? "an integer" : "a number"} of at least ${min}${upTo}`,
        );
      }
      return parsed;
    },
  };
}

/**
 * Reads a command line.
 *
 * @throws {CommandError} with exit code `usage` for what the table does not allow.
 *
 * @example
 * ```ts
 * import { flag, number, parseOptions } from "./options.ts";
 * import assert from "node:assert/strict";
 *
 * const table = {
 *   rate: number({ default: 10, min: 0, doc: "messages a second" }),
 *   json: flag({ doc: "print JSON" }),
 * };
 * const { rate, json } = parseOptions(table, ["--rate", "500", "--json"]);
 * assert.equal(rate, 500);
 * assert.equal(json, true);
 * assert.throws(() => parseOptions(table, ["--rate=-1"]), /--rate must be an integer of at least 0/);
 * ```
 */
export function parseOptions<T extends OptionTable>(
  table: T,
  args: readonly string[],
): OptionValues<T> {
  const byFlag = new Map(Object.keys(table).map((name) => [flagOf(name), name]));
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) values[name] = option.default;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const given = equals < 0 ? arg : arg.slice(0, equals);
    const name = byFlag.get(given);
    const option = name === undefined ? undefined : table[name];
    if (name === undefined || option === undefined) {
      throw new CommandError(exitCodes.usage, `unknown flag ${given}; see --help`);
    }
    values[name] = read(
      given,
      option,
      equals < 0 ? undefined : arg.slice(equals + 1),
      () => args[++i],
    );
  }
  // Every key of the table was filled from that key's own option.
  return values as OptionValues<T>;
}

function read(
  given: string,
  option: Option<unknown>,
  inline: string | undefined,
  next: () => string | undefined,
): unknown {
  if (option.placeholder === undefined) {
    if (inline !== undefined) throw new CommandError(exitCodes.usage, `${given} takes no value`);
    return option.parse("");
  }
  const value = inline ?? next();
  if (value === undefined) {
    throw new CommandError(exitCodes.usage, `${given} needs a value: ${option.placeholder}`);
  }
  try {
    return option.parse(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CommandError(
      exitCodes.usage,
      `${given} ${cause.message}, not ${JSON.stringify(value)}`,
      {
        cause,
      },
    );
  }
}

/** The flags of a table, a line or more each. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, option]) => ({
    left: `${flagOf(name)}${option.placeholder === undefined ? "" : ` ${option.placeholder}`}`,
    right: option.doc + defaultText(option),
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return rows.map((row) => `  ${row.left.padEnd(width)}  ${row.right}`).join("\n");
}

function defaultText(option: Option<unknown>): string {
  if (option.defaultDoc !== undefined) return ` (default: ${option.defaultDoc})`;
  if (option.placeholder === undefined || option.default === undefined) return "";
  return ` (default: ${option.default})`;
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
