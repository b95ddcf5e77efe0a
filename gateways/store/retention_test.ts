import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { ManualClock } from "../../runtime/clock.ts";
import { PointWriter } from "./point_writer.ts";
import { Retention, type RetentionLimits } from "./retention.ts";
import { SeriesIndex } from "./series_index.ts";
import { batchOf, type ReadingLines } from "./testing/batches.ts";
import { withStore } from "./testing/temp_store.ts";

interface Scene {
  readonly database: DatabaseSync;
  readonly clock: ManualClock;
  readonly retention: Retention;
  write(...readings: ReadingLines[]): void;
  /** Sweeps to the end; how many slices that took. */
  sweep(): number;
  count(): number;
}

function withRetention(limits: RetentionLimits, use: (scene: Scene) => void): Promise<void> {
  return withStore((database) => {
    const clock = new ManualClock();
    const index = new SeriesIndex(database);
    const writer = new PointWriter(database, index);
    const retention = new Retention(database, index, limits, clock);
    use({
      database,
      clock,
      retention,
      write: (...readings) => {
        assert.deepEqual(writer.write([batchOf(readings)]), { kind: "stored" });
      },
      sweep: () => {
        let slices = 1;
        while (retention.sweep(20)) slices++;
        return slices;
      },
      count: () => Number(database.prepare("SELECT count(*) AS n FROM points").get()?.["n"]),
    });
  });
}

/** Points of one series, one a second, the last of them now. */
function line(clock: ManualClock, count: number, fields = "v=1"): string {
  const lines = Array.from(
    { length: count },
    (_, i) => `m ${fields} ${clock.now() - (count - 1 - i) * 1_000}000000\n`,
  );
  return lines.join("");
}

Deno.test("without a limit there is nothing to do", () =>
  withRetention({}, ({ clock, retention, sweep, write, count }) => {
    write(["d", line(clock, 10)]);
    assert.equal(retention.limited, false);
    sweep();
    assert.equal(count(), 10);
  }));

Deno.test("points older than the age go, the others stay", () =>
  withRetention({ ageMaxMs: 60_000 }, ({ clock, sweep, write, count }) => {
    write(["d", line(clock, 100)], ["e", line(clock, 30)]);
    sweep();
    assert.equal(count(), 61 + 30);
    clock.advance(40_000);
    sweep();
    assert.equal(count(), 21 + 21);
  }));

Deno.test("a clock that is set ahead by mistake deletes nothing, by age or by size", async () => {
  await withRetention({ ageMaxMs: 60_000 }, ({ clock, sweep, write, count }) => {
    write(["d", line(clock, 50)]);
    sweep();
    clock.setBy(10 * 365 * 86_400_000);
    clock.advance(40_000);
    sweep();
    assert.equal(count(), 21);
    clock.setBy(-10 * 365 * 86_400_000);
    clock.advance(30_001);
    sweep();
    assert.equal(count(), 0); // It goes on as if nothing had been.
  });
  await withRetention({ bytesMax: 200_000 }, ({ clock, retention, sweep, write, count }) => {
    for (let i = 0; i < 40; i++) {
      clock.advance(100_000);
      write([`d${i}`, line(clock, 100, "value=1,other=2,third=3")]);
    }
    assert.ok(retention.usedBytes > 200_000, `${retention.usedBytes}`);
    clock.setBy(10 * 365 * 86_400_000);
    const before = count();
    sweep();
    assert.ok(retention.usedBytes <= 200_000);
    assert.ok(count() > before / 3, `${count()} of ${before}`);
  });
});

Deno.test("a series that lost its last point is forgotten, and can come back", () =>
  withRetention({ ageMaxMs: 60_000 }, ({ database, clock, sweep, write, count }) => {
    const fields = Array.from({ length: 10 }, (_, i) => `f${i}=${i}`).join(",");
    const series = () =>
      database.prepare("SELECT device, page FROM series ORDER BY device, page").all()
        .map(({ device, page }) => `${device}${page}`);
    write(["d", line(clock, 5, fields)], ["e", line(clock, 5)]);
    assert.deepEqual(series(), ["d0", "d1", "e0"]);
    clock.advance(90_000);
    write(["d", line(clock, 1, "f9=9")]);
    sweep();
    assert.deepEqual(series(), ["d1"]);
    assert.equal(count(), 1);
    write(["d", line(clock, 1, fields)], ["e", line(clock, 1)]);
    assert.equal(
      database.prepare("SELECT count(*) AS n FROM metric WHERE name = 'f3'").get()?.["n"],
      1,
    );
    assert.equal(count(), 1 + 1 + 1);
  }));

Deno.test("by size the oldest go first, until the rest fits", () =>
  withRetention({ bytesMax: 300_000 }, ({ clock, retention, sweep, write, database }) => {
    write(["d", `m v=1 0\n${line(clock, 20_000)}`]); // One of 1970 among them.
    const before = retention.usedBytes;
    assert.ok(before > 450_000);
    sweep();
    assert.ok(retention.usedBytes <= 300_000);
    assert.ok(retention.usedBytes > 250_000, "and not much more than that");
    const { oldest, newest } = database.prepare(
      "SELECT min(time) / 1000000 AS oldest, max(time) / 1000000 AS newest FROM points",
    ).get()!;
    assert.equal(newest, clock.now());
    assert.ok(Number(oldest) > clock.now() - 20_000_000);
  }));

Deno.test("a sweep stops at its budget and goes on where it was", () =>
  withRetention({ ageMaxMs: 1_000 }, ({ clock, retention, write, count }) => {
    write(["d", line(clock, 9_000)]);
    const monotonic = clock.monotonic.bind(clock);
    let stepMs = 0;
    clock.monotonic = () => monotonic() + (stepMs += 15);
    const left: number[] = [];
    while (retention.sweep(20)) left.push(count());
    assert.ok(left.length >= 4, `${left}`);
    assert.deepEqual(left, left.toSorted((a, b) => b - a));
    assert.equal(count(), 2);
  }));

Deno.test("what a failed sweep deleted is there again", () =>
  withRetention({ ageMaxMs: 60_000 }, ({ database, clock, retention, sweep, write, count }) => {
    write(["d", line(clock, 100)]);
    database.exec(
      "CREATE TRIGGER broken BEFORE DELETE ON points BEGIN SELECT raise(ABORT, 'no'); END",
    );
    assert.throws(() => retention.sweep(20), /no/);
    assert.equal(database.isTransaction, false);
    database.exec("DROP TRIGGER broken");
    assert.equal(count(), 100);
    sweep();
    assert.equal(count(), 61);
  }));
