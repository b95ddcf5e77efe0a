import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { ManualClock } from "../../runtime/clock.ts";
import { isDamage } from "../sqlite/result_code.ts";
import { PointWriter } from "./point_writer.ts";
import type { Aggregate, ReadingsQuery } from "./readings_query.ts";
import { aggregates, parseReadingsQuery } from "./readings_query.ts";
import { ReadingsReader, type StoredValue } from "./readings_reader.ts";
import { sourcesSql, type Sql, valuesSql } from "./readings_sql.ts";
import { batchOf, type ReadingLines } from "./testing/batches.ts";
import { withStore } from "./testing/temp_store.ts";
import { parseTime } from "./time_text.ts";

const second = 1_000_000_000n;

function fill(database: DatabaseSync, ...readings: ReadingLines[]): ReadingsReader {
  assert.equal(new PointWriter(database).write([batchOf(readings)]).kind, "stored");
  return new ReadingsReader(database, new ManualClock());
}

function read(reader: ReadingsReader, query: string) {
  const answer = reader.read(new Map(new URLSearchParams(query)));
  assert.ok(answer.kind === "page", JSON.stringify(answer));
  return answer.page;
}

/** Follows `next` to the end. */
function readAll(reader: ReadingsReader, query: string): StoredValue[] {
  const items: StoredValue[] = [];
  for (let after = "";;) {
    const page = read(reader, `${query}&cursor=${after}`);
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}

const brief = ({ time, device, metric, value }: StoredValue) =>
  `${time} ${device} ${metric} ${value}`;

Deno.test("a page names time, device, metric and value", () =>
  withStore((database) => {
    const reader = fill(
      database,
      ["UPB/RPi_1", "RPi_1.BAT,location=UPB,station=RPi_1 value=99 1574729660000000001\n"],
      ["d", 'm s="text",y=t,n=f,i=5i,big=9007199254740993i,f=0.5 1574729661000000000\n'],
    );
    assert.deepEqual(read(reader, "device=UPB/RPi_1"), {
      items: [{
        time: "2019-11-26T00:54:20.000000001Z",
        device: "UPB/RPi_1",
        metric: "BAT",
        value: 99,
      }],
    });
    assert.deepEqual(
      read(reader, "device=d").items.map(({ metric, value }) => [metric, value]),
      [["s", "text"], ["y", true], ["n", false], ["i", 5], ["big", "9007199254740993"], ["f", 0.5]],
    );
    assert.deepEqual(read(reader, "device=nobody"), { items: [] });
    assert.deepEqual(read(reader, "metric=BAT&from=1574729661").items, []);
  }));

Deno.test("aggregates are of numbers; count, first and last of anything", () =>
  withStore((database) => {
    const lines = ['v=1,s="a" 1', 'v="x",s="b" 2', "v=5,s=t 3", "v=2i 4"];
    const reader = fill(database, ["d", lines.map((line) => `m ${line}000000000\n`).join("")]);
    const value = (agg: string, metric = "v") =>
      read(reader, `metric=${metric}&agg=${agg}`).items.map((item) => item.value);
    assert.deepEqual(aggregates.map((agg) => value(agg)), [[8 / 3], [1], [5], [8], [4], [1], [2]]);
    assert.deepEqual(value("mean", "s"), []);
    assert.deepEqual(value("count", "s"), [3]);
    assert.deepEqual(value("last", "s"), [true]);
    assert.equal(read(reader, "agg=max&metric=v").items[0]!.time, "1970-01-01T00:00:01.000000000Z");
  }));

Deno.test("buckets begin at whole multiples, before 1970 too, and empty ones are left out", () =>
  withStore((database) => {
    const times = [-11, -1, 0, 9, 10, 100_000_000];
    const reader = fill(
      database,
      ["d", times.map((time, i) => `m v=${i} ${time}000000000\n`).join("")],
    );
    assert.deepEqual(
      read(reader, "every=10s&agg=sum").items.map(({ time, value }) => [time, value]),
      [
        ["1969-12-31T23:59:40.000000000Z", 0],
        ["1969-12-31T23:59:50.000000000Z", 1],
        ["1970-01-01T00:00:00.000000000Z", 5],
        ["1970-01-01T00:00:10.000000000Z", 4],
        ["1973-03-03T09:46:40.000000000Z", 5],
      ],
    );
  }));

Deno.test("too many series are refused with what to add", () =>
  withStore((database) => {
    const devices = Array.from({ length: 1_001 }, (_, i): ReadingLines => [`d${i}`, "m v=1 1\n"]);
    const reader = fill(database, ...devices);
    const answer = reader.read(new Map([["metric", "v"]]));
    assert.deepEqual(answer, {
      kind: "invalid",
      problems: [{
        parameter: "device",
        message: "must be given, because more than 1000 series match",
      }],
    });
    assert.equal(read(reader, "device=d7").items.length, 1);
  }));

Deno.test("a page ends early rather than be too large or take too long, and goes on", () =>
  withStore((database) => {
    const text = "x".repeat(100_000);
    const lines = Array.from({ length: 20 }, (_, i) => `m s="${text}",v=1 ${i}\n`).join("");
    const reader = fill(database, ["d", lines]);
    assert.equal(read(reader, "device=d").items.length, 15);
    assert.equal(readAll(reader, "device=d").length, 40);
    const slowClock = new ManualClock();
    slowClock.monotonic = () => {
      slowClock.advance(1_000);
      return slowClock.now();
    };
    const slow = new ReadingsReader(database, slowClock);
    assert.equal(read(slow, "metric=v").items.length, 3);
    assert.equal(readAll(slow, "metric=v").length, 20);
  }));

Deno.test("a page that was read holds on to nothing in the file", () =>
  withStore((database) => {
    const reader = fill(database, ["d", "m a=1,b=2 1\nm a=1,b=2 2\nm a=1,b=2 3\n"]);
    assert.equal(read(reader, "limit=2").items.length, 2);
    assert.equal(database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"], 0);
  }));

Deno.test("nor does one that failed on the way", () =>
  withStore((database) => {
    const reader = fill(database, ["d", "m a=1,b=2 1\nm a=1,b=2 2\nm a=1,b=2 3\n"]);
    const clock = new ManualClock();
    let asked = 0;
    clock.monotonic = () => {
      if (++asked > 2) throw new Error("while it was read");
      return 0;
    };
    assert.throws(() => new ReadingsReader(database, clock).read(new Map()), /while it was read/);
    assert.equal(database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"], 0);
    assert.equal(readAll(reader, "device=d").length, 6);
  }));

Deno.test("every statement seeks in an index; no points are sorted or scanned", () =>
  withStore((database) => {
    fill(database, ["d", "m a=1 1\n"]);
    const source = { series: 1, slot: 0, device: "d", metric: "a" };
    for (const agg of ["", ...aggregates]) {
      for (const every of agg === "" ? [""] : ["", "1m"]) {
        for (const sort of ["asc", "desc"]) {
          for (const filter of ["device=d", "metric=a", "device=d&metric=a"]) {
            const query = queryOf(`agg=${agg}&every=${every}&sort=${sort}&${filter}`);
            const values = planOf(database, valuesSql(query, source));
            assert.doesNotMatch(values, /SCAN points|TEMP B-TREE/);
            assert.doesNotMatch(planOf(database, sourcesSql(query, 9)), /SCAN/);
          }
        }
      }
    }
  }));

function planOf(database: DatabaseSync, { text, values }: Sql): string {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(values);
  return steps.map(({ detail }) => detail).join("; ");
}

function queryOf(text: string): ReadingsQuery {
  const parsed = parseReadingsQuery(new Map(new URLSearchParams(text)));
  assert.ok("query" in parsed);
  return parsed.query;
}

interface Point {
  readonly device: string;
  readonly metric: string;
  readonly time: bigint;
  readonly value: number;
}

/** The same by brute force, over points in the order of their series. */
function model(points: readonly Point[], query: ReadingsQuery): string[] {
  const series = Map.groupBy(points, ({ device, metric }) => `${device} ${metric}`);
  const rows: { time: bigint; order: number; text: string }[] = [];
  for (const [order, name] of [...series.keys()].entries()) {
    const chosen = series.get(name)!.filter(({ device, metric, time }) =>
      (query.device ?? device) === device && (query.metric ?? metric) === metric &&
      time >= query.from && time < query.to
    ).sort((a, b) => Number(a.time - b.time));
    for (const [time, values] of stretches(chosen, query)) {
      rows.push({ time, order, text: `${time} ${name} ${aggregateOf(query.aggregate, values)}` });
    }
  }
  const sign = query.descending ? -1 : 1;
  return rows.sort((a, b) => sign * Number(a.time - b.time) || a.order - b.order)
    .map(({ text }) => text);
}

function stretches(points: readonly Point[], query: ReadingsQuery): Map<bigint, number[]> {
  const found = new Map<bigint, number[]>();
  for (const { time, value } of points) {
    const start = query.aggregate === undefined
      ? time
      : query.every === undefined
      ? points[0]!.time
      : time - ((time % query.every) + query.every) % query.every;
    found.set(start, [...found.get(start) ?? [], value]);
  }
  return found;
}

function aggregateOf(aggregate: Aggregate | undefined, values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  switch (aggregate) {
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "sum":
      return sum;
    case "count":
      return values.length;
    case "mean":
      return sum / values.length;
    case "last":
      return values.at(-1)!;
    default:
      return values[0]!;
  }
}

Deno.test("any query, in pages of any size, is what brute force finds", () => {
  const point = fc.record({
    device: fc.constantFrom("d", "e"),
    metric: fc.constantFrom("a", "b", "c"),
    time: fc.integer({ min: -12, max: 12 }).map((time) => BigInt(time) * second),
    value: fc.nat(9),
  });
  const bound = fc.option(fc.integer({ min: -13, max: 13 }), { nil: undefined });
  const query = fc.record({
    device: fc.constantFrom("", "d", "e"),
    metric: fc.constantFrom("", "a", "c"),
    from: bound,
    to: bound,
    agg: fc.constantFrom("", ...aggregates),
    every: fc.constantFrom("", "1s", "3s", "5s", "60s"),
    sort: fc.constantFrom("asc", "desc"),
  }).filter(({ from, to }) => from === undefined || to === undefined || from < to);
  const key = ({ device, metric, time }: Point) => `${device} ${metric} ${time}`;
  return fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(point, { selector: key, minLength: 1, maxLength: 25 }),
      fc.array(query, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 5 }),
      (points, queries, limit) =>
        withStore((database) => {
          const reader = fill(
            database,
            ...points.map(({ device, metric, time, value }): ReadingLines => [
              device,
              `m ${metric}=${value} ${time}\n`,
            ]),
          );
          // Series are in the order of their devices' first points, then of their first fields.
          const devices = [...new Set(points.map(({ device }) => device))];
          const ordered = devices.flatMap((name) => points.filter(({ device }) => device === name));
          for (const { from, to, ...rest } of queries) {
            const text = new URLSearchParams({
              ...rest,
              from: from === undefined ? "" : String(from),
              to: to === undefined ? "" : String(to),
            }).toString();
            const expected = model(ordered, queryOf(text));
            const items = readAll(reader, `${text}&limit=${limit}`);
            assert.deepEqual(
              items.map((item) =>
                `${parseTime(item.time)} ${brief(item).split(" ").slice(1).join(" ")}`
              ),
              expected,
              text,
            );
          }
        }),
    ),
    { numRuns: 60 },
  );
});

Deno.test("a page of the file that is damaged: an error, and no answer that ends before it", () =>
  withStore((database, path) => {
    const readings = Array.from(
      { length: 2_000 },
      (_, i): ReadingLines => ["d", `m v=${i} ${i}\n`],
    );
    fill(database, ...readings, ["e", "m v=1 1\n"]);
    database.close(); // What is in the WAL goes into the file.
    const bytes = Deno.readFileSync(path);
    const pages = bytes.length / 4_096;
    const middle = Math.floor(pages / 2) * 4_096;
    crypto.getRandomValues(bytes.subarray(middle, middle + 4_096));
    Deno.writeFileSync(path, bytes);
    using damaged = new DatabaseSync(path, { readOnly: true });
    const reader = new ReadingsReader(damaged, new ManualClock());
    for (const query of ["", "&sort=desc", "&agg=sum", "&agg=mean&every=1d", "&metric=v"]) {
      const parameters = new Map(new URLSearchParams(`device=d&limit=10000${query}`));
      assert.throws(() => reader.read(parameters), isDamage, query);
    }
    assert.equal(read(reader, "device=d&limit=10").items.length, 10);
    assert.equal(read(reader, "device=e").items.length, 1);
  }));
