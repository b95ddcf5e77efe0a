/**
 * InfluxDB 1.x: `/query`, chunked.
 *
 * @module
 */
import { isFields } from "../fields.ts";
import { ask, jsonLines, type StoreAccess, unexpected } from "./json_lines.ts";
import { TimeReader } from "./rfc3339.ts";
import type { SampleBlock, SampleRequest, SampleStore } from "./samples.ts";
import { CommandError, exitCodes } from "../exit_code.ts";

const chunkPoints = 10_000;

export class InfluxDBStore implements SampleStore {
  readonly name: string;
  readonly precisionNs = 1;
  readonly #base: string;
  readonly #database: string;
  readonly #access: StoreAccess;

  /** `base` is the server's URL, with user and password when it wants them. */
  constructor(base: string, database: string, access: StoreAccess = {}) {
    const url = new URL(base);
    const { username, password } = url;
    url.username = url.password = "";
    this.#base = url.href.endsWith("/") ? url.href : `${url.href}/`;
    this.#database = database;
    this.#access = username === "" ? access : {
      ...access,
      authorization: `Basic ${
        btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
      }`,
    };
    this.name = `InfluxDB ${this.#base} database ${database}`;
  }

  async *samples(request: SampleRequest): AsyncIterable<SampleBlock> {
    const url = new URL("query", this.#base);
    url.searchParams.set("db", this.#database);
    url.searchParams.set("q", query(request));
    url.searchParams.set("chunked", "true");
    url.searchParams.set("chunk_size", String(chunkPoints));
    const times = new TimeReader(request.originMs);
    for await (const line of jsonLines(await ask(this.name, url, this.#access))) {
      yield* this.#blocks(line, request, times);
    }
  }

  *#blocks(line: unknown, request: SampleRequest, times: TimeReader): Iterable<SampleBlock> {
    if (!isFields(line) || !Array.isArray(line.results)) throw unexpected(this.name, line);
    for (const result of line.results) {
      if (!isFields(result)) throw unexpected(this.name, line);
      if (result.error !== undefined) {
        throw new CommandError(exitCodes.unavailable, `${this.name}: ${result.error}`);
      }
      const all: unknown = result.series ?? [];
      if (!Array.isArray(all)) throw unexpected(this.name, line);
      for (const series of all) {
        const block = blockOf(series, request, times);
        if (block === undefined) throw unexpected(this.name, series);
        if (block !== "other") yield block;
      }
    }
  }
}

function query({ pattern, fromMs, toMs }: SampleRequest): string {
  const { measurement, field } = pattern;
  const from = measurement.kind === "is"
    ? quoted(measurement.name)
    : `/${measurement.suffix.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}$/`;
  return `SELECT ${quoted(field)} FROM ${from} ` +
    `WHERE time >= ${fromMs}ms AND time < ${toMs + 1}ms GROUP BY *`;
}

function quoted(name: string): string {
  return `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function blockOf(
  series: unknown,
  { pattern, deviceOfTag }: SampleRequest,
  times: TimeReader,
): SampleBlock | "other" | undefined {
  if (!isFields(series) || !isFields(series.tags) || !Array.isArray(series.values)) {
    return undefined;
  }
  const device = deviceOfTag.get(String(series.tags[pattern.deviceTag]));
  if (device === undefined) return "other";
  const count = series.values.length;
  const timesNs = new Float64Array(count);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row: unknown = series.values[i];
    if (!Array.isArray(row) || typeof row[0] !== "string" || typeof row[1] !== "number") {
      return undefined;
    }
    timesNs[i] = times.ns(row[0]);
    values[i] = row[1];
  }
  return { device, series: JSON.stringify([series.name, series.tags]), count, timesNs, values };
}
