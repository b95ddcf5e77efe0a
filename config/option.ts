/**
 * The kinds of options a configuration is made of. The table in options.ts uses them, and from that
 * one table come the type `Config`, the defaults, the validation, the JSON Schema, the environment
 * variables and the reference in the docs.
 *
 * @module
 */

/** What a kind knows beyond the text of the table. */
interface Kind<T> {
  readonly kind: "option";
  /** JSON Schema of the value, without title and default. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Completes "must be …" in an error. */
  readonly expects: string;
  /** Reads the value of an environment variable; what cannot be read is left for validation. */
  readonly fromEnv: (text: string) => unknown;
  /** An empty variable is a value; otherwise it counts as not set. */
  readonly emptyIsValue?: boolean;
  readonly default: T;
}

/** What the table says of every option. */
interface Text {
  /** One or two sentences for the reference. */
  readonly doc: string;
  /** Overrides the variable name that follows from the key path. */
  readonly env?: string;
  /** Shown as `***` wherever the configuration is printed. */
  readonly secret?: boolean;
  /** What holds when the option is absent, where that is not a constant. */
  readonly defaultDoc?: string;
  readonly unit?: Unit;
}

export type Unit = "ms" | "s" | "bytes";

/** One option: a leaf of the table. */
export interface Option<T = unknown> extends Kind<T>, Text {}

/** A group of options: an object in the file. */
export interface Section<K extends Keys = Keys> {
  readonly kind: "section";
  readonly doc: string;
  readonly keys: K;
}

export type Node = Option | Section;
export interface Keys {
  readonly [key: string]: Node;
}

/** The type of the value that a node of the table describes. */
export type ValueOf<N> = N extends Section<infer K> ? { readonly [P in keyof K]: ValueOf<K[P]> }
  : N extends Option<infer T> ? T
  : never;

export function section<K extends Keys>(doc: string, keys: K): Section<K> {
  return { kind: "section", doc, keys };
}

/** An integer; both bounds are allowed values. */
export function integer<D extends number | undefined>(
  spec: Text & { readonly default: D; readonly min: number; readonly max?: number },
): Option<number | D> {
  const { min, max, ...text } = spec;
  const unit = spec.unit === undefined ? "" : ` (${spec.unit})`;
  return {
    kind: "option",
    schema: { type: "integer", minimum: min, maximum: max ?? Number.MAX_SAFE_INTEGER },
    expects: max === undefined
      ? `an integer of at least ${min}${unit}`
      : `an integer from ${min} to ${max}${unit}`,
    fromEnv: (value) => /^-?\d+$/.test(value) ? Number(value) : value,
    ...text,
  };
}

export function flag(spec: Text & { readonly default: boolean }): Option<boolean> {
  return {
    kind: "option",
    schema: { type: "boolean" },
    expects: "true or false",
    fromEnv: (value) => value === "true" ? true : value === "false" ? false : value,
    ...spec,
  };
}

/** On only when the variable is exactly `true`; any other text is off, not an error. */
export function exactFlag(spec: Text & { readonly default: boolean }): Option<boolean> {
  return { ...flag(spec), fromEnv: (value) => value === "true", emptyIsValue: true };
}

export function choice<const C extends string | number>(
  allowed: readonly C[],
  spec: Text & { readonly default: NoInfer<C> },
): Option<C> {
  return {
    kind: "option",
    schema: { enum: allowed },
    expects: `one of ${allowed.map((value) => JSON.stringify(value)).join(", ")}`,
    fromEnv: (value) => allowed.find((one) => String(one) === value) ?? value,
    ...spec,
  };
}

/** A form of text: its name in the schema (`format`), what it is called in errors, and the check. */
export interface Format {
  readonly name: string;
  readonly expects: string;
  readonly accepts: (text: string) => boolean;
  /** Whether a text is what a comma inside one has left of it, where commas part a list. */
  readonly isCut?: (text: string) => boolean;
}

export function text<D extends string | undefined>(
  spec: Text & { readonly default: D; readonly format?: Format },
): Option<string | D> {
  const { format, ...rest } = spec;
  return {
    kind: "option",
    schema: format === undefined
      ? { type: "string", minLength: 1 }
      : { type: "string", format: format.name },
    expects: format?.expects ?? "a text that is not empty",
    fromEnv: (value) => value,
    emptyIsValue: format?.accepts("") ?? false,
    ...rest,
  };
}

/** A list of texts; in the environment, separated by commas. */
export function list<D extends readonly string[] | undefined>(
  spec: Text & { readonly default: D; readonly format: Format },
): Option<readonly string[] | D> {
  const { format, ...rest } = spec;
  return {
    kind: "option",
    schema: { type: "array", items: { type: "string", format: format.name }, uniqueItems: true },
    expects: `a list of different texts, each ${format.expects}`,
    fromEnv: (value) => {
      const items = value.split(",").map((item) => item.trim()).filter((item) => item !== "");
      // Whole, so that what is said of it does not show half a password.
      const { isCut, accepts } = format;
      const mayBeCut = isCut !== undefined &&
        items.some((item) => isCut(item) || (items.length > 1 && !accepts(item)));
      return mayBeCut ? value : items;
    },
    ...rest,
  };
}

/** A list of objects that have a schema of their own; in the environment, JSON. */
export function objects<T>(
  spec: Text & {
    readonly default: readonly T[];
    readonly items: Readonly<Record<string, unknown>>;
  },
): Option<readonly T[]> {
  const { items, ...text } = spec;
  return {
    kind: "option",
    schema: { type: "array", items },
    expects: "a list of objects, in a variable as JSON",
    fromEnv: (value) => {
      try {
        return JSON.parse(value);
      } catch {
        return value; // Not JSON: validation says what is expected.
      }
    },
    ...text,
  };
}
