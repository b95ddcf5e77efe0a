/**
 * From the body of `POST /api/readings` to its items, by its media type.
 *
 * @module
 */
import { Problem, unknownType } from "../problem.ts";
import { badItem, type Item } from "./item.ts";
import { jsonItem } from "./json_item.ts";
import { elements, members, type Range, skipSpace, stringAt, valueEnd } from "./json_ranges.ts";
import { whyNot } from "./why_not.ts";
import { lineItem, type Precision } from "./line_item.ts";

/** Items of one request: so many can all be named in one answer. */
export const itemsMax = 10_000;

/** How a body is read. */
export type BodyFormat = "json" | "ndjson" | "line";

const types: Readonly<Record<string, BodyFormat>> = {
  "application/json": "json",
  "application/geo+json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/geo+json-seq": "ndjson",
  "text/plain": "line",
  "application/vnd.influxdata.line-protocol": "line",
};

/** The media types that are understood, for people and for the description of the API. */
export const readingTypes: readonly string[] = Object.keys(types);

/** @throws {Problem} `unsupported-media-type`. */
export function bodyFormat(contentType: string | null): BodyFormat {
  const type = (contentType ?? "application/json").split(";")[0]!.trim().toLowerCase();
  if (Object.hasOwn(types, type)) return types[type]!;
  throw unknownType(type, readingTypes);
}

export interface ItemOptions {
  /** The topic of every item, where the request gives one. */
  readonly topic?: string;
  /** Of the times in line protocol. */
  readonly precision: Precision;
}

/** @throws {Problem} when the body cannot be taken apart at all. */
export function itemsOf(body: Uint8Array, format: BodyFormat, options: ItemOptions): Item[] {
  switch (format) {
    case "json":
      return jsonItems(body, options.topic);
    case "ndjson":
      return lines(body).map(({ start, end }) => ndjsonItem(body, start, end, options.topic));
    case "line":
      return lineItems(body, options.precision);
    default:
      return format satisfies never;
  }
}

const bracketOpen = 0x5b;
const wanted: ReadonlySet<string> = new Set(["type", "features"]);

function jsonItems(body: Uint8Array, topic: string | undefined): Item[] {
  const start = skipSpace(body, 0, body.length);
  if (start === body.length) throw new Problem("invalid-body", "the body is empty");
  if (body[start] === bracketOpen) return arrayItems(body, { start, end: body.length }, topic);
  const collection = topic === undefined ? members(body, start, body.length, wanted) : undefined;
  const type = collection?.get("type");
  const features = collection?.get("features");
  if (features !== undefined && type && stringAt(body, type) === "FeatureCollection") {
    return arrayItems(body, features, topic);
  }
  const end = valueEnd(body, start, body.length);
  if (end < 0 || skipSpace(body, end, body.length) !== body.length) {
    const range = { start, end: body.length };
    throw new Problem(
      "invalid-body",
      `the body: ${whyNot(body, range, "it is not one JSON value")}`,
    );
  }
  return [jsonItem(body, { start, end }, topic)];
}

function arrayItems(body: Uint8Array, { start, end }: Range, topic: string | undefined): Item[] {
  const found = elements(body, start, end, itemsMax);
  if (found === "too_many") throw tooMany();
  if (found === undefined) {
    const why = whyNot(body, { start, end }, "it is no array of items");
    throw new Problem("invalid-body", `the body: ${why}`);
  }
  return found.map((range) => jsonItem(body, range, topic));
}

function ndjsonItem(
  body: Uint8Array,
  start: number,
  end: number,
  topic: string | undefined,
): Item {
  const behind = valueEnd(body, start, end);
  return behind < 0 || skipSpace(body, behind, end) !== end
    ? badItem(body, start, end, "malformed", () => whyNot(body, { start, end }, "it is no JSON"))
    : jsonItem(body, { start, end: behind }, topic);
}

function lineItems(body: Uint8Array, precision: Precision): Item[] {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return lines(body).flatMap(({ start, end }) => {
    let line: string;
    try {
      line = utf8.decode(body.subarray(start, end));
    } catch {
      return [badItem(body, start, end, "malformed", "the line is not valid UTF-8")];
    }
    return line.startsWith("#") ? [] : [lineItem(line, precision)];
  });
}

/** The lines that hold something, without the spaces around. */
function lines(body: Uint8Array): Range[] {
  const ranges: Range[] = [];
  for (let from = 0; from < body.length;) {
    const newline = body.indexOf(0x0a, from);
    const to = newline < 0 ? body.length : newline;
    const start = skipSpace(body, from, to);
    let end = to;
    while (end > start && (body[end - 1] === 0x20 || body[end - 1] === 0x0d)) end--;
    if (end > start) {
      if (ranges.length === itemsMax) throw tooMany();
      ranges.push({ start, end });
    }
    from = to + 1;
  }
  return ranges;
}

const tooMany = (): Problem =>
  new Problem("body-too-large", `a request may have ${itemsMax} items at most`);
