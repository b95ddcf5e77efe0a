/**
 * The parameters of `GET /api/readings`, checked: text in, a query or the list of what is wrong.
 *
 * @module
 */
import type { Cursor } from "./page_cursor.ts";
import { parseCursor } from "./page_cursor.ts";
import { parseTime } from "./time_text.ts";

/** How the values of a stretch of time become one. */
export const aggregates = ["mean", "min", "max", "sum", "count", "first", "last"] as const;
export type Aggregate = typeof aggregates[number];

/** What to read. Times are ns since the epoch. */
export interface ReadingsQuery {
  readonly device: string | undefined;
  readonly metric: string | undefined;
  /** Included. */
  readonly from: bigint;
  /** Excluded. */
  readonly to: bigint;
  readonly aggregate: Aggregate | undefined;
  /** Length of a stretch; without it an aggregate is over all of `from` to `to`. */
  readonly every: bigint | undefined;
  readonly limit: number;
  readonly descending: boolean;
  /** Continue behind this row of the page before. */
  readonly after: Cursor | undefined;
}

/** A parameter that was refused, and what is allowed. */
export interface QueryProblem {
  readonly parameter: string;
  readonly message: string;
}

export const limitMax = 10_000;
const limitDefault = 1_000;
const nameCharsMax = 1_024;
const everyMax = 3_660n * 86_400_000_000_000n;

const parameters = [
  "device",
  "metric",
  "from",
  "to",
  "every",
  "agg",
  "limit",
  "sort",
  "cursor",
] as const;
type Parameter = typeof parameters[number];

/** Unit → ns. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/**
 * The query, or every problem there is. An empty value is the same as an absent one.
 *
 * @example
 * ```ts
 * import { parseReadingsQuery } from "./readings_query.ts";
 * import assert from "node:assert/strict";
 *
 * const parsed = parseReadingsQuery(new Map([["device", "RPi_1"], ["limit", "many"]]));
 * assert.deepEqual(parsed, {
 *   problems: [{ parameter: "limit", message: "must be a whole number from 1 to 10000" }],
 * });
 * ```
 */
export function parseReadingsQuery(
  given: ReadonlyMap<string, string>,
): { readonly query: ReadingsQuery } | { readonly problems: readonly QueryProblem[] } {
  const problems: QueryProblem[] = [];
  const refuse = (parameter: string, message: string) => {
    problems.push({ parameter, message });
    return undefined;
  };
  for (const name of given.keys()) {
    if (!parameters.some((known) => known === name)) {
      refuse(name, `is not known; known are ${parameters.join(", ")}`);
    }
  }
  /** Parses a parameter that is there; `undefined` from `parse` refuses it. */
  const read = <T>(name: Parameter, allowed: string, parse: (text: string) => T | undefined) => {
    const text = given.get(name);
    if (text === undefined || text === "") return undefined;
    return parse(text) ?? refuse(name, `must be ${allowed}`);
  };
  const name = (text: string) => text.length <= nameCharsMax ? text : undefined;
  const nameAllowed = `at most ${nameCharsMax} characters`;
  const timeAllowed = "RFC 3339 with a zone, or seconds, ms, µs or ns since the epoch";
  const from = read("from", timeAllowed, parseTime);
  const to = read("to", timeAllowed, parseTime);
  const every = read(
    "every",
    "a length of time such as 10s, 5m, 1h or 1d, up to 10 years",
    parseLength,
  );
  const query: ReadingsQuery = {
    device: read("device", nameAllowed, name),
    metric: read("metric", nameAllowed, name),
    from: from ?? timeMin,
    to: to ?? timeMax,
    aggregate: read("agg", `one of ${aggregates.join(", ")}`, oneOf(aggregates)) ??
      (every === undefined ? undefined : "mean"),
    every,
    limit: read("limit", `a whole number from 1 to ${limitMax}`, parseLimit) ?? limitDefault,
    descending: read("sort", "asc or desc", oneOf(["asc", "desc"] as const)) === "desc",
    after: read("cursor", "the `next` of the page before", parseCursor),
  };
  if (from !== undefined && to !== undefined && from >= to) refuse("to", "must be after from");
  return problems.length > 0 ? { problems } : { query };
}

/** The times that InfluxDB and int64 both hold. */
const timeMin = -(2n ** 63n) + 2n;
const timeMax = 2n ** 63n - 1n;

function oneOf<T extends string>(words: readonly T[]): (text: string) => T | undefined {
  return (text) => words.find((word) => word === text);
}

function parseLimit(text: string): number | undefined {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= limitMax ? limit : undefined;
}

function parseLength(text: string): bigint | undefined {
  const found = /^(\d{1,18})(ns|us|ms|s|m|h|d|w)$/.exec(text);
  if (found === null) return undefined;
  const length = BigInt(found[1]!) * units[found[2]!]!;
  return length > 0n && length <= everyMax ? length : undefined;
}
