/**
 * The SQL behind `GET /api/readings`: from a query to statements and their parameters, without a
 * database. Every statement reads one slot of one series along the primary key of `points`, row
 * by row, so that whoever stops after a page has read no more than that page.
 *
 * @module
 */
import type { Cursor } from "./page_cursor.ts";
import type { Aggregate, ReadingsQuery } from "./readings_query.ts";
import { slotColumns } from "./schema.ts";

/** A statement with its named parameters. */
export interface Sql {
  readonly text: string;
  readonly values: Readonly<Record<string, string | number | bigint>>;
}

/** One slot of one series: what one statement reads. */
export interface Source {
  readonly series: number;
  readonly slot: number;
  readonly device: string;
  readonly metric: string;
}

/**
 * The statement with a last row of `NULL`s. `iterate` ends without a word where the file cannot be
 * read, so only whoever sees that row has seen all.
 */
export const withEnd = (text: string): string =>
  `SELECT * FROM (${text}) UNION ALL SELECT NULL, NULL`;

/** Reads all that a statement of values would, and gives nothing of it. */
export const walk = (text: string): string =>
  `SELECT count(time), total(length(value)) FROM (${text})`;

/** The sources that a query reads, in their order, at most `max`. */
export function sourcesSql({ device, metric }: ReadingsQuery, max: number): Sql {
  const conditions: string[] = [];
  const values: Record<string, string | number> = { max };
  if (device !== undefined) {
    conditions.push("device = :device");
    values["device"] = device;
  }
  if (metric !== undefined) {
    conditions.push("name = :metric");
    values["metric"] = metric;
  }
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return {
    text: `SELECT id AS series, slot, device, name AS metric
      FROM series JOIN metric ON metric.series = series.id ${where}
      ORDER BY id, slot LIMIT :max`,
    values,
  };
}

/** Rows `(time, value)` of one source, in the order of the query. */
export function valuesSql(query: ReadingsQuery, source: Source): Sql {
  const column = slotColumns[source.slot]!;
  const { aggregate, every } = query;
  const range = rangeOf(query, source);
  if (aggregate === undefined) {
    return {
      text: `SELECT time, ${column} AS value FROM points
        WHERE series = :series AND time >= :from AND time < :to AND ${column} IS NOT NULL
        ORDER BY time ${query.descending ? "DESC" : "ASC"}`,
      values: { series: source.series, ...range },
    };
  }
  return every === undefined
    ? wholeSql(aggregate, column, query, source)
    : bucketsSql(aggregate, column, query.descending, { series: source.series, every, ...range });
}

/** At most one row: the time of the first value, and the aggregate of all. */
function wholeSql(
  aggregate: Aggregate,
  column: string,
  { from, to, after, descending }: ReadingsQuery,
  source: Source,
): Sql {
  const values = { series: source.series, from, to };
  const text = `SELECT time, (${valueSql(aggregate, column, ":from", ":to")}) AS value FROM points
    WHERE series = :series AND time >= :from AND time < :to AND ${counted(aggregate, column)}
    ORDER BY time LIMIT 1`;
  if (after === undefined) return { text, values };
  const comparison = (descending ? "<" : ">") + (isPassed(after, source) ? "" : "=");
  return {
    text: `SELECT * FROM (${text}) WHERE time ${comparison} :after`,
    values: { ...values, after: after.time },
  };
}

/**
 * One row per stretch that holds a value. The next such stretch is found by a seek in the index,
 * so empty stretches cost nothing, and nothing is sorted.
 */
function bucketsSql(
  aggregate: Aggregate,
  column: string,
  descending: boolean,
  values: Sql["values"],
): Sql {
  const filter = `series = :series AND ${counted(aggregate, column)}`;
  // Rounds down, also before 1970.
  const start = "time - ((time % :every) + :every) % :every";
  const order = descending ? "DESC" : "ASC";
  const next = descending
    ? "time >= :from AND time < bucket.start"
    : "time >= bucket.start + :every AND time < :to";
  return {
    text: `WITH RECURSIVE bucket (start) AS (
        SELECT (SELECT ${start} FROM points WHERE ${filter} AND time >= :from AND time < :to
          ORDER BY time ${order} LIMIT 1)
        UNION ALL
        SELECT (SELECT ${start} FROM points WHERE ${filter} AND ${next}
          ORDER BY time ${order} LIMIT 1) FROM bucket WHERE start IS NOT NULL
      )
      SELECT start AS time, (${
      valueSql(aggregate, column, "max(bucket.start, :from)", "min(bucket.start + :every, :to)")
    }) AS value FROM bucket WHERE start IS NOT NULL`,
    values,
  };
}

function valueSql(aggregate: Aggregate, column: string, from: string, to: string): string {
  const rows = `FROM points WHERE series = :series AND time >= ${from} AND time < ${to}
    AND ${counted(aggregate, column)}`;
  switch (aggregate) {
    case "first":
      return `SELECT ${column} ${rows} ORDER BY time ASC LIMIT 1`;
    case "last":
      return `SELECT ${column} ${rows} ORDER BY time DESC LIMIT 1`;
    case "count":
      return `SELECT count(*) ${rows}`;
    case "mean":
      return `SELECT avg(${column}) ${rows}`;
    case "sum":
      return `SELECT total(${column}) ${rows}`;
    case "min":
    case "max":
      return `SELECT ${aggregate}(${column}) ${rows}`;
    default:
      return aggregate satisfies never;
  }
}

/** What an aggregate is made of: of numbers only, where it calculates. */
function counted(aggregate: Aggregate, column: string): string {
  return aggregate === "first" || aggregate === "last" || aggregate === "count"
    ? `${column} IS NOT NULL`
    : `typeof(${column}) IN ('real', 'integer')`;
}

/** The range that is left behind the cursor. */
function rangeOf(query: ReadingsQuery, source: Source): { from: bigint; to: bigint } {
  const { from, to, after, every, descending } = query;
  if (after === undefined) return { from, to };
  const passed = isPassed(after, source);
  if (descending) {
    // A stretch that is still to come begins at the cursor's own time, and reaches `every` on.
    const stop = passed ? after.time : after.time + (every ?? 1n);
    return { from, to: stop < to ? stop : to };
  }
  const start = passed ? after.time + (every ?? 1n) : after.time;
  return { from: start > from ? start : from, to };
}

/** Whether the page before held this source's row of the cursor's time, if there was one. */
function isPassed(after: Cursor, { series, slot }: Source): boolean {
  return series < after.series || (series === after.series && slot <= after.slot);
}
