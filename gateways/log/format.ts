/**
 * An entry of the log as one line: text for people, JSON for collectors.
 *
 * @module
 */
import { oneLine, oneLineJson } from "./escape.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** One entry. `message` is the program's own constant text; what varies is in `fields`. */
export interface LogEntry {
  /** Wall time, ms since the epoch. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly logger: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const charsMax = 4_000;

/** For example `2026-11-20T13:46:01.123Z INFO  writer: the store is back  outageMs=1200`. */
export function textLine({ atMs, level, logger, message, fields }: LogEntry): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${oneLine(key)}=${fieldText(value)}`)
    .join("");
  const head = `${new Date(atMs).toISOString()} ${level.toUpperCase().padEnd(7)} ${logger}`;
  return `${head}: ${oneLine(message)}${shown === "" ? "" : ` ${shown}`}\n`;
}

const reserved = new Set(["time", "level", "logger", "message"]);

/** One JSON object. A field that has the name of one of the entry's own keys gets a `_` after it. */
export function jsonLine({ atMs, level, logger, message, fields }: LogEntry): string {
  const own = { time: new Date(atMs).toISOString(), level, logger, message };
  const others = Object.entries(fields)
    .map(([key, value]) => [reserved.has(key) ? `${key}_` : key, plain(value)]);
  return `${oneLineJson(JSON.stringify({ ...own, ...Object.fromEntries(others) }))}\n`;
}

function fieldText(value: unknown): string {
  const shown = plain(value);
  if (typeof shown !== "string") return oneLine(JSON.stringify(shown) ?? String(shown));
  return /^[^\s"=]+$/.test(shown) ? oneLine(shown) : `"${oneLine(shown).replaceAll('"', '\\"')}"`;
}

/** The value as JSON knows it, bounded in size; never throws. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return bounded(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  if (value instanceof Error) return bounded(errorText(value));
  if (typeof value !== "object" || value === null) return value;
  try {
    const json = JSON.stringify(value);
    return json.length <= charsMax ? value : bounded(json);
  } catch (cause) {
    return `(cannot be shown: ${errorText(cause)})`;
  }
}

/** Name and message, with those of the causes. */
function errorText(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = `${thrown.name}: ${thrown.message}`;
  return thrown.cause === undefined || depth === 3
    ? own
    : `${own}; because of ${errorText(thrown.cause, depth + 1)}`;
}

const bounded = (text: string): string =>
  text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
