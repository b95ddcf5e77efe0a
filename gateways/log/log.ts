/**
 * The log of a thread: LogTape's loggers, written as one line an entry to stdout. Call
 * {@linkcode startLog} once in the main thread and once in every Worker.
 *
 * @module
 */
import { configureSync, getLogger, type LogRecord, resetSync } from "@logtape/logtape";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { jsonLine, type LogEntry, type LogLevel, textLine } from "./format.ts";
import { LineWriter } from "./line_writer.ts";
import { RepeatLimiter } from "./repeats.ts";
import { stdoutLines } from "./stdout.ts";

/** What a part of the program writes to. Messages are constant; what varies goes in `fields`. */
export interface Log {
  /** A function is asked for the fields only when the message is written. */
  debug(message: string, fields?: Record<string, unknown> | (() => Record<string, unknown>)): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** Whether entries of that level are written. */
  isEnabledFor(level: LogLevel): boolean;
}

/** How the log of this thread is written. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Fields on every entry, for example `{ shard: 0 }`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  /** Where lines go; default stdout. */
  readonly write?: (line: string) => void;
}

/** Ends the log of this thread. */
export interface RunningLog {
  /** Writes what was held back as repeated, and stops writing. */
  close(): void;
}

const root = "sluice";

/** Starts, or starts anew, the log of this thread. A line that cannot be written fails nobody. */
export function startLog(options: LogOptions): RunningLog {
  const line = options.format === "json" ? jsonLine : textLine;
  const { fields = {}, clock = systemClock } = options;
  const lines = options.write === undefined ? stdoutLines : linesTo(options.write);
  lines.tell = (lost) =>
    line({
      atMs: clock.now(),
      level: "warning",
      logger: "log",
      message: "lines could not be written here",
      fields: { ...fields, lost },
    });
  const limiter = new RepeatLimiter(clock, (entry) => lines.write(line(entry)));
  const sink = (record: LogRecord): void => limiter.take(entryOf(record, fields));
  configureSync({
    sinks: { lines: sink },
    loggers: [
      { category: [root], lowestLevel: options.level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
    reset: true,
  });
  return {
    close: () => {
      limiter.flush();
      resetSync();
    },
  };
}

/**
 * The logger of one part of the program. Before {@linkcode startLog} it writes nothing.
 *
 * @example
 * ```ts
 * import { logger, startLog } from "./log.ts";
 * import assert from "node:assert/strict";
 *
 * let out = "";
 * const log = startLog({ level: "info", format: "text", write: (line) => out += line });
 * logger("writer").info("the store is back", { outageMs: 1200 });
 * log.close();
 * assert.match(out, /^\S+Z INFO {4}writer: the store is back {2}outageMs=1200\n$/);
 * ```
 */
export function logger(name: string): Log {
  return getLogger([root, name]);
}

const linesTo = (write: (line: string) => void): LineWriter =>
  new LineWriter((bytes) => {
    write(new TextDecoder().decode(bytes));
    return bytes.length;
  });

function entryOf(record: LogRecord, common: Readonly<Record<string, unknown>>): LogEntry {
  const { rawMessage, level, category } = record;
  return {
    atMs: record.timestamp,
    level: level === "trace" ? "debug" : level === "fatal" ? "error" : level,
    logger: category[0] === root ? category.slice(1).join(".") : category.join("."),
    // Not LogTape's rendered message: braces in a text are not placeholders here.
    message: typeof rawMessage === "string" ? rawMessage : rawMessage.join(""),
    fields: { ...common, ...record.properties },
  };
}
