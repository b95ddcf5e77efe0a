/**
 * Puts batches of points into the embedded store: one transaction for all that are given at once,
 * on the disk when {@linkcode PointWriter.write} returns.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PointBatch, SinkResult } from "../../actors/sink.ts";
import type { FieldValue } from "./line_cursor.ts";
import { LineCursor, LineSyntaxError } from "./line_cursor.ts";
import { slotColumns, slotsPerRow } from "./schema.ts";
import type { DeviceSeries, Series } from "./series_index.ts";
import { SeriesIndex } from "./series_index.ts";
import { sqliteResult } from "./sqlite_result.ts";

const space = 0x20, equals = 0x3d, newline = 0x0a, hash = 0x23;

/** Writes to one database. Nothing else may write to it meanwhile. */
export class PointWriter {
  readonly #database: DatabaseSync;
  readonly #index: SeriesIndex;
  /** By the number of slots a row fills, less one. */
  readonly #inserts: readonly StatementSync[];
  readonly #cursor = new LineCursor();
  /** The values of one line by slot, a row being a stretch of `slotsPerRow`. */
  readonly #values: (FieldValue | null)[] = [];
  /** How many of them the line may have set. */
  #used = 0;

  constructor(database: DatabaseSync, index: SeriesIndex = new SeriesIndex(database)) {
    this.#database = database;
    this.#index = index;
    this.#inserts = slotColumns.map((_, i) => database.prepare(insertSql(i + 1)));
  }

  /** All or nothing. A line that cannot be read rejects everything; the caller bisects. */
  write(batches: readonly PointBatch[]): SinkResult {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const batch of batches) this.#batch(batch);
      this.#database.exec("COMMIT");
      return { kind: "stored" };
    } catch (cause) {
      this.#rollback();
      if (cause instanceof LineSyntaxError) {
        return { kind: "rejected", reason: cause.message, partial: false };
      }
      return sqliteResult(cause);
    }
  }

  #rollback(): void {
    this.#used = 0;
    this.#values.fill(null);
    this.#index.forget();
    // SQLite itself rolls back after some errors, a full disk among them.
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  #batch(batch: PointBatch): void {
    const { lines, lineEnds, deviceOf } = batch;
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    const devices = batch.devices.map((id) => this.#index.device(id));
    const cursor = this.#cursor;
    let start = 0;
    for (let i = 0; i < batch.count; i++) {
      const device = devices[deviceOf[i]!]!;
      const end = lineEnds[i]!;
      while (start < end) {
        if (bytes[start] === newline) {
          start++;
        } else if (bytes[start] === hash) {
          const stop = bytes.indexOf(newline, start);
          start = stop < 0 ? end : stop + 1;
        } else {
          cursor.open(bytes, start, end);
          this.#line(device, cursor);
          start = cursor.at;
        }
      }
    }
  }

  #line(device: DeviceSeries, cursor: LineCursor): void {
    const series = this.#seriesOf(device, cursor);
    const values = this.#values;
    let expected = 0;
    do {
      const name = series.fields[expected];
      const slot = name !== undefined && cursor.skip(name, equals)
        ? expected
        : this.#index.slot(device, series, cursor.fieldName());
      while (values.length <= slot) values.push(null);
      values[slot] = cursor.value();
      if (slot >= this.#used) this.#used = slot + 1;
      expected = slot + 1;
    } while (cursor.more());
    this.#insert(series, cursor.time());
  }

  #seriesOf(device: DeviceSeries, cursor: LineCursor): Series {
    const expected = device.series[device.next];
    if (expected !== undefined && cursor.skip(expected.key, space)) {
      device.next = (device.next + 1) % device.series.length;
      return expected;
    }
    const series = this.#index.series(device, cursor.key());
    device.next = (device.series.indexOf(series) + 1) % device.series.length;
    return series;
  }

  #insert(series: Series, time: bigint): void {
    const values = this.#values;
    for (let page = 0, from = 0; from < this.#used; page++, from += slotsPerRow) {
      let to = Math.min(this.#used, from + slotsPerRow);
      while (to > from && values[to - 1] === null) to--;
      if (to === from) continue;
      this.#inserts[to - from - 1]!.run(series.pages[page]!, time, ...values.slice(from, to));
    }
    values.fill(null, 0, this.#used);
    this.#used = 0;
  }
}

/** A field that the second write of a point does not have keeps its value, as in InfluxDB. */
function insertSql(slots: number): string {
  const columns = slotColumns.slice(0, slots);
  const kept = columns.map((column) => `${column} = coalesce(excluded.${column}, ${column})`);
  return `INSERT INTO points (series, time, ${columns.join(", ")})
    VALUES (?, ?${", ?".repeat(slots)})
    ON CONFLICT (series, time) DO UPDATE SET ${kept.join(", ")}`;
}
