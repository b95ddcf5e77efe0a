/**
 * A device's state as an event of the stream.
 *
 * @module
 */
import type { DeviceView } from "../control.ts";
import type { LiveQuery } from "./live_query.ts";
import type { DeviceTally } from "./source.ts";

/** Values that a device on a map has. */
export const coordinates: readonly string[] = ["lat", "lon"];

const event = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** The event, or "" when there is nothing in it for this viewer. */
export function deviceEvent(view: DeviceView, query: LiveQuery): string {
  const { id, presence, lastSeenMs, values } = view;
  const { metric } = query;
  if (metric !== "" && !Object.hasOwn(values, metric)) return "";
  if (query.geojson) return featureEvent(view, metric);
  return event(presence === "online" ? "reading" : "presence", {
    device: id,
    presence,
    lastSeen: new Date(lastSeenMs).toISOString(),
    values: metric === "" ? values : { [metric]: values[metric] },
  });
}

/**
 * RFC 7946: longitude comes first. A device whose numbers are no place on Earth is a Feature without
 * one (§3.2), with these numbers as they came: it is nowhere on a map, and still told of.
 */
function featureEvent({ id, presence, lastSeenMs, values }: DeviceView, metric: string): string {
  if (!coordinates.every((name) => Object.hasOwn(values, name))) return "";
  const { lat, lon, alt, ...others } = values;
  const placed = isWithin(lat, 90) && isWithin(lon, 180);
  const point = typeof alt === "number" ? [lon, lat, alt] : [lon, lat];
  const shown = placed ? others : values;
  return event("feature", {
    type: "Feature",
    id,
    geometry: placed ? { type: "Point", coordinates: point } : null,
    properties: {
      presence,
      lastSeen: new Date(lastSeenMs).toISOString(),
      ...(metric === "" ? shown : { [metric]: values[metric] }),
    },
  });
}

const isWithin = (value: unknown, degrees: number): boolean =>
  typeof value === "number" && Math.abs(value) <= degrees;

/** How many devices the viewer should know now, and the exclusive or of the FNV-1a of their ids. */
export function tallyEvent({ devices, checksum }: DeviceTally): string {
  return event("tally", { devices, checksum: checksum.toString(16).padStart(8, "0") });
}
