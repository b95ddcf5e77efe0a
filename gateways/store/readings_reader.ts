/**
 * Answers `GET /api/readings` from the embedded store: one statement per series, merged by time as
 * they are stepped, a page at a time.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Clock } from "../../runtime/clock.ts";
import { Heap } from "./heap.ts";
import { formatCursor } from "./page_cursor.ts";
import type { QueryProblem, ReadingsQuery } from "./readings_query.ts";
import { parseReadingsQuery } from "./readings_query.ts";
import type { Source, Sql } from "./readings_sql.ts";
import { sourcesSql, valuesSql, walk, withEnd } from "./readings_sql.ts";
import { StatementPool } from "./statement_pool.ts";
import { formatTime } from "./time_text.ts";

/** A stored value, or an aggregate of several. `time` is RFC 3339 with ns. */
export interface StoredValue {
  readonly time: string;
  readonly device: string;
  readonly metric: string;
  readonly value: number | string | boolean | null;
}

interface Page {
  readonly items: readonly StoredValue[];
  readonly next?: string;
}

/** One page, or what is wrong with the parameters. `next` goes into the next request's `cursor`. */
export type ReadingsAnswer =
  | { readonly kind: "page"; readonly page: Page }
  | { readonly kind: "invalid"; readonly problems: readonly QueryProblem[] };

/** More series than this in one query are refused: name a device or a metric. */
const sourcesMax = 1_000;
/** A query is cut off when it takes longer: the page is then short, and `next` continues it. */
const deadlineMs = 2_000;
/** So is a page that would not fit a message between Workers. */
const pageBytesMax = 768 * 1024;
/** An item without its names and its value. */
const itemBytes = 48;

type Columns = Record<string, SQLOutputValue>;

/** A statement under way. */
interface Opened {
  readonly text: string;
  readonly statement: StatementSync;
  readonly rows: Iterator<Columns>;
}

interface Row {
  readonly time: bigint;
  readonly value: StoredValue["value"];
}

/** A source with the row it stands at. `order` is its place among the sources. */
interface Stream {
  readonly source: Source;
  /** Of one item, without its value. */
  readonly nameBytes: number;
  readonly order: number;
  readonly rows: Iterator<Row>;
  row: Row;
}

function isEarlier(a: Stream, b: Stream): boolean {
  return a.row.time < b.row.time || (a.row.time === b.row.time && a.order < b.order);
}

function isLater(a: Stream, b: Stream): boolean {
  return a.row.time > b.row.time || (a.row.time === b.row.time && a.order < b.order);
}

/** Reads from a database that others may be writing to. */
export class ReadingsReader {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #statements: StatementPool;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#statements = new StatementPool(database, sourcesMax);
    this.#clock = clock;
  }

  /** Parameters as they stand in the URL. Throws what SQLite throws. */
  read(parameters: ReadonlyMap<string, string>): ReadingsAnswer {
    const parsed = parseReadingsQuery(parameters);
    if ("problems" in parsed) return { kind: "invalid", problems: parsed.problems };
    const { query } = parsed;
    const sources = this.#sources(query);
    if (sources.length > sourcesMax) {
      const message = `must be given, because more than ${sourcesMax} series match`;
      const parameter = query.device === undefined ? "device" : "metric";
      return { kind: "invalid", problems: [{ parameter, message }] };
    }
    return { kind: "page", page: this.#page(query, sources) };
  }

  #page(query: ReadingsQuery, sources: readonly Source[]): Page {
    const deadline = this.#clock.monotonic() + deadlineMs;
    const opened: Opened[] = [];
    try {
      const streams = new Heap<Stream>(query.descending ? isLater : isEarlier);
      for (const [order, source] of sources.entries()) {
        const rows = this.#rows(valuesSql(query, source), opened);
        const { value: row } = rows.next();
        const nameBytes = itemBytes + utf8Bytes(source.device) + utf8Bytes(source.metric);
        if (row !== undefined) streams.push({ source, nameBytes, order, rows, row });
      }
      const items: StoredValue[] = [];
      let bytes = 0;
      for (let stream = streams.first; stream !== undefined; stream = streams.first) {
        const { source: { device, metric }, row } = stream;
        items.push({ time: formatTime(row.time), device, metric, value: row.value });
        bytes += stream.nameBytes + bytesOf(row.value);
        const next = stream.rows.next();
        if (next.done === true) streams.shift();
        else {
          stream.row = next.value;
          streams.sink();
        }
        const isFull = items.length === query.limit || bytes > pageBytesMax ||
          this.#clock.monotonic() > deadline;
        if (isFull && streams.first !== undefined) {
          return { items, next: formatCursor({ time: row.time, ...stream.source }) };
        }
      }
      return { items };
    } finally {
      // A statement that is not at its end would hold on to the state of the file it sees.
      for (const { text, statement, rows } of opened) {
        rows.return?.();
        this.#statements.give(text, statement);
      }
    }
  }

  #sources(query: ReadingsQuery): Source[] {
    const { text, values } = sourcesSql(query, sourcesMax + 1);
    return this.#database.prepare(text).all(values).map((row) => ({
      series: Number(row["series"]),
      slot: Number(row["slot"]),
      device: String(row["device"]),
      metric: String(row["metric"]),
    }));
  }

  *#rows({ text: values, values: parameters }: Sql, opened: Opened[]): Generator<Row, undefined> {
    const text = withEnd(values);
    const statement = this.#statements.take(text);
    statement.setReadBigInts(true);
    const rows = statement.iterate(parameters);
    opened.push({ text, statement, rows });
    for (let step = rows.next(); step.done !== true; step = rows.next()) {
      const { time, value } = step.value;
      if (time === null) return;
      if (typeof time !== "bigint") throw new TypeError("the embedded store holds no time there");
      yield { time, value: plainValue(value) };
    }
    this.#database.prepare(walk(values)).get(parameters); // Throws what `iterate` did not say.
    throw new Error("a row could not be read");
  }
}

/** The counterpart of `FieldValue`: booleans are bytes there, integers beyond 2^53 become text. */
function plainValue(value: SQLOutputValue | undefined): StoredValue["value"] {
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  return value instanceof Uint8Array ? value[0] === 1 : null;
}

function bytesOf(value: StoredValue["value"]): number {
  return typeof value === "string" ? utf8Bytes(value) : 8;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
