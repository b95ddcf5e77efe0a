/**
 * VictoriaMetrics: `/api/v1/export`, which gives every raw sample in blocks of a series. Times are
 * kept in ms, and a sample that was written twice stays there twice.
 *
 * @module
 */
import { isFields } from "../fields.ts";
import type { SeriesPattern } from "../load_model.ts";
import { ask, jsonLines, type StoreAccess, unexpected } from "./json_lines.ts";
import type { SampleBlock, SampleRequest, SampleStore } from "./samples.ts";

export class VictoriaMetricsStore implements SampleStore {
  readonly name: string;
  readonly precisionNs = 1_000_000;
  readonly #base: string;
  readonly #access: StoreAccess;

  /** `base` is the server's URL. */
  constructor(base: string, access: StoreAccess = {}) {
    this.#access = access;
    this.#base = base.endsWith("/") ? base : `${base}/`;
    this.name = `VictoriaMetrics ${this.#base}`;
  }

  async *samples(request: SampleRequest): AsyncIterable<SampleBlock> {
    const { pattern, fromMs, toMs, originMs, deviceOfTag } = request;
    // What was written last is not found before it is flushed.
    await (await ask(this.name, new URL("internal/force_flush", this.#base), this.#access)).body
      ?.cancel();
    const url = new URL("api/v1/export", this.#base);
    url.searchParams.set("match[]", selector(pattern));
    url.searchParams.set("start", (fromMs / 1_000).toFixed(3));
    url.searchParams.set("end", (toMs / 1_000).toFixed(3));
    url.searchParams.set("reduce_mem_usage", "1");
    for await (const line of jsonLines(await ask(this.name, url, this.#access))) {
      const block = blockOf(line, pattern.deviceTag, originMs, deviceOfTag);
      if (block === undefined) throw unexpected(this.name, line);
      if (block !== "other") yield block;
    }
  }
}

/** Line protocol's measurement and field become one name. */
function selector({ measurement, field, deviceTag }: SeriesPattern): string {
  const name = measurement.kind === "is"
    ? `__name__=${JSON.stringify(`${measurement.name}_${field}`)}`
    : `__name__=~${JSON.stringify(`.+${escapeRegExp(measurement.suffix)}_${field}`)}`;
  return `{${name},${deviceTag}!=""}`;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function blockOf(
  line: unknown,
  deviceTag: string,
  originMs: number,
  deviceOfTag: ReadonlyMap<string, number>,
): SampleBlock | "other" | undefined {
  if (!isFields(line) || !isFields(line.metric)) return undefined;
  const { values, timestamps } = line;
  if (!isNumbers(values) || !isNumbers(timestamps) || values.length !== timestamps.length) {
    return undefined;
  }
  const device = deviceOfTag.get(String(line.metric[deviceTag]));
  if (device === undefined) return "other";
  return {
    device,
    series: JSON.stringify(line.metric),
    count: values.length,
    timesNs: timestamps.map((ms) => (ms - originMs) * 1e6),
    values,
  };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}
