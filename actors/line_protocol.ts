/**
 * Line protocol, the pure part: escaping of names and the digits of a time.
 *
 * Escaping follows InfluxDB's reference and stays readable for VictoriaMetrics, which counts
 * backslashes where InfluxDB looks only at the last one: a run of backslashes before a character
 * that must be escaped is doubled, so both see the same end of the name. A name that ends in a
 * backslash cannot be written at all; {@linkcode isWritableName} tells. Control characters that
 * would end or forge a line are written as `\n`, `\r`, `\t`, `\0`, as InfluxDB's own client does.
 *
 * Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 *
 * @module
 */
import type { LineBuffer } from "./line_buffer.ts";

const controls: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
};

const inMeasurement = /(\\*)([, ])|[\n\r\t\0]/g;
const inTag = /(\\*)([,= ])|[\n\r\t\0]/g;
const inField = /(\\*)([,= "])|[\n\r\t\0]/g;
const inText = /["\\]|[\n\r\t\0]/g;

function escapeWith(pattern: RegExp, text: string): string {
  return text.replace(
    pattern,
    (found, slashes: string | undefined, special: string | undefined) =>
      special === undefined ? controls[found]! : `${slashes}${slashes}\\${special}`,
  );
}

/** Whether line protocol can hold this as a measurement, tag key, tag value or field key. */
export function isWritableName(name: string): boolean {
  return name !== "" && !name.endsWith("\\");
}

/** The start of a measurement's name. A leading `#` would make the line a comment. */
export function escapeMeasurementStart(text: string): string {
  return text.startsWith("#") ? `\\${escapeMeasurement(text)}` : escapeMeasurement(text);
}

/** A part of a measurement's name that is not its start. */
export function escapeMeasurement(text: string): string {
  return escapeWith(inMeasurement, text);
}

/**
 * A tag key or tag value.
 *
 * @example
 * ```ts
 * import { escapeTag } from "./line_protocol.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(escapeTag("room, 1=a"), "room\\,\\ 1\\=a");
 * assert.equal(escapeTag("a\nb"), "a\\nb");
 * ```
 */
export function escapeTag(text: string): string {
  return escapeWith(inTag, text);
}

/** A string as a field value, quotes included. */
export function quoteText(text: string): string {
  return `"${text.replace(inText, (found) => controls[found] ?? `\\${found}`)}"`;
}

/**
 * A field key as it stands before its value. A quote is escaped here, and only here: VictoriaMetrics
 * would take it for the start of a string. InfluxDB keeps the name `time` for itself and drops
 * such a field: it is written as `time_`.
 */
export function fieldKey(name: string): string {
  return name === "time" ? "time_" : escapeWith(inField, name);
}

/** Appends a time in ns, given as ms and the ns within that ms, both whole, `ns` from 0 to 999999. */
export function appendTime(lines: LineBuffer, ms: number, ns: number): void {
  if (ms < 1e12 || ms >= 1e13) {
    lines.appendText(String(BigInt(ms) * 1_000_000n + BigInt(ns)));
    return;
  }
  lines.reserve(19);
  const high = Math.floor(ms / 1e6);
  const { bytes, length } = lines;
  digits(bytes, length, high, 7);
  digits(bytes, length + 7, ms - high * 1e6, 6);
  digits(bytes, length + 13, ns, 6);
  lines.length = length + 19;
}

/** Writes `value` as exactly `count` decimal digits. */
function digits(bytes: Uint8Array, at: number, value: number, count: number): void {
  for (let i = at + count - 1; i >= at; i--) {
    const tenth = (value / 10) | 0;
    bytes[i] = 48 + value - tenth * 10;
    value = tenth;
  }
}
