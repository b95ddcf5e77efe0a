/**
 * What a viewer asks of `GET /api/live`.
 *
 * @module
 */
import { invalidParameter, parametersOf } from "../request.ts";
import type { DeviceFilter } from "./source.ts";

export interface LiveQuery extends DeviceFilter {
  /** Only this value; "" for all. */
  readonly metric: string;
  readonly geojson: boolean;
  /** The least time between two updates. */
  readonly everyMs: number;
  /** By shard: the viewer has seen what changed up to here. */
  readonly since: readonly number[];
}

const everyMsMin = 200;
const everyMsMax = 3_600_000;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
/** Sent again to who comes back, in µs: what changed just before a shard ended may have another number. */
const overlapUs = 1_000_000;

/** @throws {Problem} `invalid-parameter`. */
export function liveQuery(request: Request, shards: number): LiveQuery {
  const parameters = parametersOf(request.url, ["device", "prefix", "metric", "format", "every"]);
  const format = parameters.get("format") ?? "json";
  if (format !== "json" && format !== "geojson") {
    throw invalidParameter("format", "must be json or geojson");
  }
  return {
    device: parameters.get("device") ?? "",
    prefix: parameters.get("prefix") ?? "",
    metric: parameters.get("metric") ?? "",
    geojson: format === "geojson",
    everyMs: everyOf(parameters.get("every") ?? "1s"),
    since: sinceOf(request.headers.get("last-event-id") ?? "", shards),
  };
}

function everyOf(text: string): number {
  const [, digits, unit] = /^(\d{1,7})(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(digits) * (units[unit ?? ""] ?? NaN);
  if (ms >= everyMsMin && ms <= everyMsMax) return ms;
  throw invalidParameter("every", "must be a time from 200ms to 60m, such as 1s");
}

/** An id of another number of shards, or none: everything is new. */
function sinceOf(id: string, shards: number): number[] {
  const all = Array.from({ length: shards }, () => 0);
  if (!/^\d{1,17}(-\d{1,17})*$/.test(id)) return all;
  const since = id.split("-").map((text) => Math.max(0, Number(text) - overlapUs));
  return since.length === shards ? since : all;
}

/** The id that goes on behind what these shards gave. */
export const eventId = (since: readonly number[]): string => since.join("-");
