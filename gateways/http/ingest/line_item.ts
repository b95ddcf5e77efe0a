/**
 * One line of line protocol as an item: its series becomes the topic, its fields and its time a JSON
 * payload, so that it passes the same way as every other reading. Integers (`1i`, `1u`) become
 * floats, as all numbers do here.
 *
 * Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 *
 * @module
 */
import { isJsonNumber } from "../../../actors/json_number.ts";
import { parseSeries, seriesTopic, splitAt } from "../../../actors/line_series.ts";
import { badItem, type Item } from "./item.ts";

/** What one step of a time without unit is, as zeros that make it ns. */
export const precisions = { ns: "", us: "000", ms: "000000", s: "000000000" } as const;
export type Precision = keyof typeof precisions;

export const isPrecision = (text: string): text is Precision => Object.hasOwn(precisions, text);

const encoder = new TextEncoder();
const lineNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const trues: readonly string[] = ["t", "T", "true", "True", "TRUE"];
const falses: readonly string[] = ["f", "F", "false", "False", "FALSE"];

/** The item that a line is; a line that is none is an item with its problem. */
export function lineItem(line: string, precision: Precision): Item {
  const bad = (detail: string): Item => {
    const bytes = encoder.encode(line);
    return badItem(bytes, 0, bytes.length, "malformed", detail);
  };
  const [key, fields, time, ...rest] = sections(line);
  if (key === undefined || fields === undefined || rest.length > 0) {
    return bad("it is no line of measurement,tags fields time");
  }
  const series = parseSeries(key);
  if (typeof series === "string") return bad(series);
  const parts: string[] = [];
  for (const field of splitFields(fields)) {
    const at = nameEnd(field);
    const name = field.slice(0, at).replace(/\\([,= ])/g, "$1");
    const value = at < 0 ? undefined : jsonValue(field.slice(at + 1));
    if (value === undefined || name === "" || name === "$time") {
      return bad(`${JSON.stringify(field)} is no field=value`);
    }
    parts.push(`${JSON.stringify(name)}:${value}`);
  }
  if (time !== undefined) {
    if (!/^-?\d{1,19}$/.test(time)) return bad(`${JSON.stringify(time)} is no time`);
    parts.push(`"$time":${BigInt(`${time}${precisions[precision]}`)}`);
  }
  const bytes = encoder.encode(`{${parts.join(",")}}`);
  return { topic: seriesTopic(series), bytes, start: 0, end: bytes.length };
}

/** The parts of a line that unescaped spaces outside of strings divide. */
function sections(line: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let inText = false;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (char === "\\") at++;
    // Quotes are letters in names and tags.
    else if (char === '"' && parts.length === 1) inText = !inText;
    else if (char === " " && !inText) {
      if (at > from) parts.push(line.slice(from, at));
      from = at + 1;
    }
  }
  if (line.length > from) parts.push(line.slice(from));
  return inText ? [] : parts;
}

/** Fields, divided by commas outside of strings. */
function splitFields(fields: string): string[] {
  if (!fields.includes('"')) return splitAt(fields, ",");
  const parts: string[] = [];
  let from = 0;
  let inText = false;
  for (let at = 0; at < fields.length; at++) {
    const char = fields[at];
    if (char === "\\") at++;
    else if (char === '"') inText = !inText;
    else if (char === "," && !inText) {
      parts.push(fields.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(fields.slice(from));
  return parts;
}

/** Where the `=` behind a field's name is; -1: nowhere. */
function nameEnd(field: string): number {
  for (let at = 0; at < field.length; at++) {
    if (field[at] === "\\") at++;
    else if (field[at] === "=") return at;
  }
  return -1;
}

/** A field's value as JSON; `undefined` when it is none. */
function jsonValue(text: string): string | undefined {
  if (trues.includes(text)) return "true";
  if (falses.includes(text)) return "false";
  if (text.startsWith('"')) {
    if (text.length < 2 || !/^"(?:[^"\\]|\\[\s\S])*"$/.test(text)) return undefined;
    return JSON.stringify(text.slice(1, -1).replace(/\\(["\\])/g, "$1"));
  }
  const digits = /^(-?\d{1,20})[iu]$/.exec(text)?.[1];
  if (digits !== undefined) return String(BigInt(digits));
  if (isJsonNumber(text)) return text;
  return lineNumber.test(text) ? String(Number(text)) : undefined;
}
