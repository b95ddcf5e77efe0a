/**
 * The embedded store, through `GET /api/readings` of the service.
 *
 * @module
 */
import { isFields } from "../fields.ts";
import { ask, type StoreAccess, unexpected } from "./json_lines.ts";
import { TimeReader } from "./rfc3339.ts";
import type { SampleBlock, SampleRequest, SampleStore } from "./samples.ts";

const pageItems = 10_000;

export class SluiceStore implements SampleStore {
  readonly name: string;
  readonly precisionNs = 1;
  readonly #base: string;
  readonly #access: StoreAccess;

  /** `base` is the URL of the service's HTTP. */
  constructor(base: string, access: StoreAccess = {}) {
    this.#access = access;
    this.#base = base.endsWith("/") ? base : `${base}/`;
    this.name = `Sluice ${this.#base}`;
  }

  async *samples(request: SampleRequest): AsyncIterable<SampleBlock> {
    const times = new TimeReader(request.originMs);
    for (let device = 0; device < request.deviceIds.length; device++) {
      let cursor: string | undefined;
      do {
        const page = await this.#page(request, request.deviceIds[device]!, cursor);
        cursor = page.next;
        yield blockOf(this.name, page.items, device, times);
      } while (cursor !== undefined);
    }
  }

  async #page(
    request: SampleRequest,
    deviceId: string,
    cursor: string | undefined,
  ): Promise<{ readonly items: readonly unknown[]; readonly next?: string }> {
    const url = new URL("api/readings", this.#base);
    url.searchParams.set("device", deviceId);
    url.searchParams.set("metric", request.key);
    url.searchParams.set("from", new Date(request.fromMs).toISOString());
    url.searchParams.set("to", new Date(request.toMs + 1).toISOString());
    url.searchParams.set("limit", String(pageItems));
    if (cursor !== undefined) url.searchParams.set("cursor", cursor);
    const body: unknown = await (await ask(this.name, url, this.#access)).json();
    if (!isFields(body) || !Array.isArray(body.items)) throw unexpected(this.name, body);
    const { items, next } = body;
    if (next === undefined) return { items };
    if (typeof next !== "string") throw unexpected(this.name, next);
    return { items, next };
  }
}

function blockOf(
  store: string,
  items: readonly unknown[],
  device: number,
  times: TimeReader,
): SampleBlock {
  const timesNs = new Float64Array(items.length);
  const values = new Float64Array(items.length);
  items.forEach((item, i) => {
    if (!isFields(item) || typeof item.time !== "string" || typeof item.value !== "number") {
      throw unexpected(store, item);
    }
    timesNs[i] = times.ns(item.time);
    values[i] = item.value;
  });
  // The answer does not tell series apart: what has one time in two of them is one sample here.
  return { device, series: "", count: items.length, timesNs, values };
}
