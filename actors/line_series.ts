/**
 * The key of a series in line protocol, `measurement,tag=value,tag=value`, as a part of a topic:
 * readings that come as line protocol have topics of their own, one a series, so that they pass the
 * same way as all others.
 *
 * Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 *
 * @module
 */
import {
  escapeMeasurement,
  escapeMeasurementStart,
  escapeTag,
  isWritableName,
} from "./line_protocol.ts";

/** A series by its names, unescaped; tags in order of their keys. */
export interface LineSeries {
  readonly measurement: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** The first level of such topics. */
export const seriesTopicStart = "$line/";

/** Names that InfluxDB keeps for itself. */
const reserved: readonly string[] = ["time", "_measurement", "_field"];

/** The series that a key is, or what is wrong with the key. */
export function parseSeries(key: string): LineSeries | string {
  const parts = splitAt(key, ",");
  const measurement = unescape(parts[0]!, /\\([, ])/g).replace(/^\\#/, "#");
  if (!isWritableName(measurement)) return "the measurement is empty or ends in a backslash";
  const tags: [string, string][] = [];
  for (const part of parts.slice(1)) {
    const pair = splitAt(part, "=");
    if (pair.length !== 2) return `${JSON.stringify(part)} is no tag=value`;
    const [name, value] = pair.map((text) => unescape(text, /\\([,= ])/g));
    if (!isWritableName(name!) || !isWritableName(value!) || reserved.includes(name!)) {
      return `${JSON.stringify(part)} has a name or a value that no tag can have`;
    }
    tags.push([name!, value!]);
  }
  tags.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  const twice = tags.find(([name], i) => name === tags[i + 1]?.[0]);
  if (twice !== undefined) return `the tag ${JSON.stringify(twice[0])} comes twice`;
  return { measurement, tags };
}

/** The measurement of a series and all its tags as line protocol has them. */
export function seriesKey({ measurement, tags }: LineSeries): string {
  const start = measurement.startsWith("#")
    ? escapeMeasurementStart(measurement)
    : escapeMeasurement(measurement);
  return start + tags.map(([name, value]) => `,${escapeTag(name)}=${escapeTag(value)}`).join("");
}

/**
 * The topic of a series.
 *
 * @example
 * ```ts
 * import { parseSeries, seriesOfLevel, seriesTopic } from "./line_series.ts";
 * import assert from "node:assert/strict";
 *
 * const series = parseSeries("air,room=a/b");
 * assert.ok(typeof series !== "string");
 * assert.equal(seriesTopic(series), "$line/air,room=a%2Fb");
 * assert.deepEqual(seriesOfLevel("air,room=a%2Fb"), series);
 * ```
 */
export function seriesTopic(series: LineSeries): string {
  return seriesTopicStart + seriesKey(series).replace(/[%/+#]/g, encodeURIComponent);
}

/** The series that the second level of such a topic names, or what is wrong with it. */
export function seriesOfLevel(level: string): LineSeries | string {
  try {
    return parseSeries(decodeURIComponent(level));
  } catch {
    return "the topic of a series is not written as it should be";
  }
}

/** Splits at every separator that no backslash escapes. */
export function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

const unescape = (text: string, escaped: RegExp): string => text.replace(escaped, "$1");
