/**
 * Which series and slot a field of a device's line goes to: the tables `series` and `metric`, with
 * the devices of late kept in memory. A line of a known series is found without hashing or
 * scanning it, because a device's lines come in the same order each time.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { LineSyntaxError } from "./line_cursor.ts";
import { slotsPerRow } from "./schema.ts";
import { metricName, seriesNames, unescapeField } from "./series_key.ts";

/** A series of a device. `key` and `fields` are as in line protocol, one byte a character. */
export interface Series {
  readonly key: string;
  /** By slot, counted through all pages. */
  readonly fields: string[];
  /** Ids in the table `series`: page p holds the slots from `p * slotsPerRow`. */
  readonly pages: number[];
}

/** Fields of one device, over all of its series: who makes up names for ever is refused. */
export const namesPerDeviceMax = 8_192;
/** Fields kept at hand for each device that may be. */
const fieldsPerDevice = 8;

/** What is known of a device. `next` is the index of the series expected to come next. */
export interface DeviceSeries {
  readonly id: string;
  readonly series: Series[];
  next: number;
  /** Fields, over all of its series. */
  fields: number;
}

/** Remembers up to twice `devicesMax` devices; one that was forgotten is read from the file. */
export class SeriesIndex {
  readonly #devicesMax: number;
  readonly #names = new Map<string, string>();
  #recent = new Map<string, DeviceSeries>();
  #older = new Map<string, DeviceSeries>();
  #recentFields = 0;
  #olderFields = 0;
  readonly #select: StatementSync;
  readonly #insertSeries: StatementSync;
  readonly #insertMetric: StatementSync;

  constructor(database: DatabaseSync, devicesMax = 100_000) {
    this.#devicesMax = devicesMax;
    this.#select = database.prepare(
      `SELECT series.id, key, page, slot, field FROM series LEFT JOIN metric ON series = series.id
       WHERE device = ? ORDER BY series.id, slot`,
    );
    this.#insertSeries = database.prepare(
      "INSERT INTO series (device, key, page, measurement, tags) VALUES (?, ?, ?, ?, ?)",
    );
    this.#insertMetric = database.prepare(
      "INSERT INTO metric (series, slot, field, name) VALUES (?, ?, ?, ?)",
    );
  }

  /** The series of a device, from memory or from the file. */
  device(id: string): DeviceSeries {
    const recent = this.#recent.get(id);
    if (recent !== undefined) return recent;
    const device = this.#older.get(id) ?? this.#load(id);
    const fieldsMax = this.#devicesMax * fieldsPerDevice;
    if (this.#recent.size >= this.#devicesMax || this.#recentFields >= fieldsMax) {
      this.#older = this.#recent;
      this.#olderFields = this.#recentFields;
      this.#recent = new Map();
      this.#recentFields = 0;
    }
    this.#recent.set(id, device);
    this.#recentFields += device.fields;
    return device;
  }

  /** Fields of all devices that are kept in memory. */
  get fieldsAtHand(): number {
    return this.#recentFields + this.#olderFields;
  }

  /** The series of this key, made when it is new. */
  series(device: DeviceSeries, key: string): Series {
    const known = device.series.find((series) => series.key === key);
    if (known !== undefined) return known;
    const series = { key, fields: [], pages: [] };
    device.series.push(series);
    return series;
  }

  /** The slot of this field, made when it is new. */
  slot(device: DeviceSeries, series: Series, field: string): number {
    const known = series.fields.indexOf(field);
    if (known >= 0) return known;
    if (device.fields >= namesPerDeviceMax) {
      throw new LineSyntaxError(
        `the device ${device.id} has more than ${namesPerDeviceMax} fields, this one is ${
          utf8(field.slice(0, 100))
        }`,
      );
    }
    device.fields++;
    this.#recentFields++;
    const slot = series.fields.length;
    const page = Math.floor(slot / slotsPerRow);
    const names = seriesNames(utf8(series.key));
    if (page === series.pages.length) {
      const { lastInsertRowid } = this.#insertSeries.run(
        device.id,
        utf8(series.key),
        page,
        names.measurement,
        JSON.stringify(names.tags),
      );
      series.pages.push(Number(lastInsertRowid));
    }
    const name = metricName(names, unescapeField(utf8(field)));
    this.#insertMetric.run(series.pages[page]!, slot % slotsPerRow, utf8(field), name);
    series.fields.push(this.#shared(field));
    return slot;
  }

  /** A series of this device was deleted. */
  forgetDevice(id: string): void {
    this.#recent.delete(id);
    this.#older.delete(id);
  }

  /** After a rollback: memory may not be what the file says. */
  forget(): void {
    this.#recent = new Map();
    this.#older = new Map();
    this.#recentFields = this.#olderFields = 0;
  }

  #load(id: string): DeviceSeries {
    const byKey = new Map<string, Series>();
    // All at once: `iterate` would end without a word where the file is damaged.
    for (const row of this.#select.all(id)) {
      const key = bytes(text(row["key"]));
      const series = byKey.get(key) ?? { key, fields: [], pages: [] };
      byKey.set(key, series);
      const page = Number(row["page"]);
      series.pages[page] = Number(row["id"]);
      if (row["field"] === null) continue;
      series.fields[page * slotsPerRow + Number(row["slot"])] = this.#shared(
        bytes(text(row["field"])),
      );
    }
    const series = [...byKey.values()];
    const fields = series.reduce((sum, { fields }) => sum + fields.length, 0);
    return { id, series, next: 0, fields };
  }

  /** Devices of one kind have the same fields: one copy of each name is enough. */
  #shared(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= this.#devicesMax) this.#names.clear();
    this.#names.set(name, name);
    return name;
  }
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("the embedded store holds no text there");
  return value;
}

/** From one byte a character to characters, and back. */
function utf8(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

function bytes(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}
