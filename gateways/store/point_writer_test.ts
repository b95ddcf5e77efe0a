import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { PointWriter } from "./point_writer.ts";
import { slotColumns, slotsPerRow } from "./schema.ts";
import { namesPerDeviceMax, SeriesIndex } from "./series_index.ts";
import { sqliteResult } from "./sqlite_result.ts";
import { openForWriting } from "./store_database.ts";
import { batchOf, type ReadingLines } from "./testing/batches.ts";
import { withStore } from "./testing/temp_store.ts";

/** Everything in the store as `device|key|field|time` → value. */
function contents(database: DatabaseSync): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const metrics = database.prepare(
    "SELECT id, device, key, slot, field FROM series JOIN metric ON series = id",
  ).all();
  for (const { id, device, key, slot, field } of metrics) {
    const points = database.prepare(
      `SELECT time, ${slotColumns[Number(slot)]} AS value FROM points WHERE series = ?`,
    );
    points.setReadBigInts(true);
    for (const { time, value } of points.all(Number(id))) {
      if (value !== null) found.set(`${device}|${key}|${field}|${time}`, value);
    }
  }
  return found;
}

function write(writer: PointWriter, ...readings: ReadingLines[]): string {
  const result = writer.write([batchOf(readings)]);
  return result.kind === "stored" ? "stored" : `${result.kind}: ${result.reason}`;
}

Deno.test("points are stored to the nanosecond, with the type they have", () =>
  withStore((database) => {
    const writer = new PointWriter(database);
    const lines = 'm,a=b f=1.5,i=9007199254740993i,s="12",y=t,n=f 1574729660000000001\n' +
      "m,a=b f=-2 -1\n";
    assert.equal(write(writer, ["d", lines]), "stored");
    assert.deepEqual(
      contents(database),
      new Map<string, unknown>([
        ["d|m,a=b|f|1574729660000000001", 1.5],
        ["d|m,a=b|f|-1", -2],
        ["d|m,a=b|i|1574729660000000001", 9007199254740993n],
        ["d|m,a=b|s|1574729660000000001", "12"],
        ["d|m,a=b|y|1574729660000000001", Uint8Array.of(1)],
        ["d|m,a=b|n|1574729660000000001", Uint8Array.of(0)],
      ]),
    );
  }));

Deno.test("the same point twice is one; other fields of it are added, the same ones replaced", () =>
  withStore((database) => {
    const writer = new PointWriter(database);
    for (const fields of ["a=1,b=2", "a=1,b=2", "c=3", "b=4"]) {
      assert.equal(write(writer, ["d", `m ${fields} 7\n`]), "stored");
    }
    assert.deepEqual(
      contents(database),
      new Map([["d|m|a|7", 1], ["d|m|b|7", 4], ["d|m|c|7", 3]]),
    );
  }));

Deno.test("comments, empty lines and readings without a line are no points", () =>
  withStore((database) => {
    const writer = new PointWriter(database);
    assert.equal(write(writer, ["d", "# hello\n\nm a=1 7\n# end\n"], ["e", ""]), "stored");
    assert.deepEqual(contents(database), new Map([["d|m|a|7", 1]]));
    assert.deepEqual(writer.write([]), { kind: "stored" });
  }));

Deno.test("a bad line takes back everything written with it, and nothing else", () =>
  withStore((database) => {
    const writer = new PointWriter(database);
    assert.equal(write(writer, ["d", "m a=1 1\n"]), "stored");
    const refused = write(writer, ["d", "m a=2,new=1 2\n"], ["e", "m a=3 3\n"], [
      "d",
      "nonsense\n",
    ]);
    assert.match(refused, /^rejected: expected a measurement/);
    assert.match(write(writer, ["d", "m a=2,x=1,y=2,z= 2\n"]), /^rejected/);
    assert.deepEqual(contents(database), new Map([["d|m|a|1", 1]]));
    assert.equal(write(writer, ["d", "m new=5 5\n"], ["e", "m a=6 6\n"]), "stored");
    assert.deepEqual(
      contents(database),
      new Map([["d|m|a|1", 1], ["d|m|new|5", 5], ["e|m|a|6", 6]]),
    );
  }));

Deno.test("a full disk is a retry, and what was refused is taken once there is room", () =>
  withStore((database) => {
    const writer = new PointWriter(database);
    const lines = Array.from({ length: 5_000 }, (_, i) => `m a=${i}.5,b=${i},c=2 ${i}\n`).join("");
    database.exec("PRAGMA max_page_count = 20");
    assert.match(write(writer, ["d", lines]), /^retry: .*full/);
    assert.equal(contents(database).size, 0);
    assert.equal(database.isTransaction, false);
    database.exec("PRAGMA max_page_count = 1000000");
    assert.equal(write(writer, ["d", lines]), "stored");
    assert.equal(contents(database).size, 15_000);
  }));

Deno.test("a damaged file is not opened", () =>
  withStore((database, path) => {
    database.close();
    Deno.writeTextFileSync(path, "this is no database. ".repeat(1_000));
    assert.throws(() => openForWriting(path), /not a database/);
  }));

Deno.test("what a person must mend is told from what passes", () => {
  const kindOf = (errcode: number) =>
    sqliteResult(Object.assign(new Error("no"), { errcode })).kind;
  for (const code of [8, 11, 14, 26, 8 + 256]) assert.equal(kindOf(code), "misconfigured");
  for (const code of [5, 10, 13, 10 + 256]) assert.equal(kindOf(code), "retry");
  assert.deepEqual(sqliteResult("?"), { kind: "retry", reason: "the embedded store: ?" });
});

Deno.test("whatever is written in whatever order, the store holds the last of each point", () => {
  const line = fc.record({
    device: fc.constantFrom("d", "e", "f"),
    key: fc.constantFrom("m", "m,t=1", "n\\ x,t=2"),
    fields: fc.uniqueArray(fc.nat(2 * slotsPerRow + 2), { minLength: 1, maxLength: 12 }),
    time: fc.integer({ min: -3, max: 3 }),
    value: fc.nat(9),
  });
  const batch = fc.record({
    lines: fc.array(line, { minLength: 1, maxLength: 8 }),
    isBad: fc.boolean(),
    reopen: fc.boolean(),
  });
  return fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 6 }), (batches) =>
      withStore((database) => {
        const expected = new Map<string, unknown>();
        // Two devices fit into memory: most are read from the file again and again.
        let writer = new PointWriter(database, new SeriesIndex(database, 1));
        for (const { lines, isBad, reopen } of batches) {
          const readings = lines.map(({ device, key, fields, time, value }): ReadingLines => [
            device,
            `${key} ${fields.map((field) => `f${field}=${value}`).join(",")} ${time}\n`,
          ]);
          if (isBad) readings.push(["d", "m bad\n"]);
          assert.match(write(writer, ...readings), isBad ? /^rejected/ : /^stored$/);
          for (const { device, key, fields, time, value } of isBad ? [] : lines) {
            for (const field of fields) expected.set(`${device}|${key}|f${field}|${time}`, value);
          }
          if (reopen) writer = new PointWriter(database, new SeriesIndex(database, 1));
        }
        assert.deepEqual(contents(database), expected);
      })),
    { numRuns: 40 },
  );
});

Deno.test("a device that makes up ever new names is refused at a limit, and no other is", () =>
  withStore((database) => {
    const writer = new PointWriter(database, new SeriesIndex(database, 100));
    let next = 0;
    const names = (count: number) =>
      Array.from({ length: count }, () => `m${next++ % 2} f${next}=1 1\n`).join("");
    for (let i = 0; i < namesPerDeviceMax / 512; i++) {
      assert.equal(write(writer, ["wild", names(512)]), "stored");
    }
    assert.match(write(writer, ["wild", names(1)]), /^rejected: .* more than \d+ fields/);
    assert.equal(write(writer, ["wild", "m0 f1=2 2\n"]), "stored");
    assert.equal(write(writer, ["tame", names(512)]), "stored");
  }));

Deno.test("the devices kept at hand are bounded by their fields, too", () =>
  withStore((database) => {
    const index = new SeriesIndex(database, 100);
    const writer = new PointWriter(database, index);
    const lines = Array.from({ length: 200 }, (_, i) => `m f${i}=1 1\n`).join("");
    for (let i = 0; i < 50; i++) {
      assert.equal(write(writer, [`d${i}`, lines]), "stored");
      assert.ok(index.fieldsAtHand <= 2 * (100 * 8 + 200), `${index.fieldsAtHand}`);
    }
  }));
