/**
 * The part of JSON Schema that most configurations need no more of: objects of numbers, flags and
 * texts. It only ever says "fits" or "not known": what it does not know, ajv decides, and so words
 * every refusal. It is there because ajv takes a tenth of the time of a start.
 *
 * @module
 */
import type { Format } from "./option.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What says nothing about the value. */
const annotations: readonly string[] = ["$schema", "title", "description", "default"];

/**
 * The value with the defaults of the schema filled in, as ajv does it, when it certainly fits.
 *
 * @param schema must be valid.
 * @returns `undefined` when that is not known here.
 */
export function plainValue(schema: Json, value: unknown, formats: readonly Format[]): unknown {
  const rules = Object.keys(schema).filter((keyword) => !annotations.includes(keyword));
  const knows = (...keywords: string[]): boolean =>
    rules.every((keyword) => keyword === "type" || keywords.includes(keyword));
  const { enum: allowed, minimum, maximum, properties, items } = schema;
  switch (schema["type"]) {
    case undefined:
      return Array.isArray(allowed) && rules.length === 1 && allowed.includes(value)
        ? value
        : undefined;
    case "boolean":
      return knows() && typeof value === "boolean" ? value : undefined;
    case "integer":
      return knows("minimum", "maximum") && typeof minimum === "number" &&
          typeof maximum === "number" && typeof value === "number" &&
          Number.isInteger(value) && value >= minimum && value <= maximum
        ? value
        : undefined;
    case "string":
      return knows("minLength", "format") && typeof value === "string" &&
          isPlainText(schema, value, formats)
        ? value
        : undefined;
    case "array":
      return knows("items", "uniqueItems") && isObject(items) && Array.isArray(value)
        ? plainList(items, value, formats)
        : undefined;
    case "object":
      return knows("properties", "additionalProperties") && isObject(properties) &&
          schema["additionalProperties"] === false && isObject(value)
        ? plainObject(properties, value, formats)
        : undefined;
    default:
      return undefined;
  }
}

function isPlainText(schema: Json, text: string, formats: readonly Format[]): boolean {
  const { minLength = 0, format } = schema;
  if (minLength !== 0 && (minLength !== 1 || text === "")) return false;
  return format === undefined ||
    formats.some(({ name, accepts }) => name === format && accepts(text));
}

/** Only texts, each of them once: no list that fits is refused for that. */
function plainList(items: Json, list: readonly unknown[], formats: readonly Format[]): unknown {
  const fits = list.every((item) =>
    typeof item === "string" && plainValue(items, item, formats) !== undefined
  );
  return fits && new Set(list).size === list.length ? list : undefined;
}

function plainObject(properties: Json, given: Json, formats: readonly Format[]): unknown {
  const made: Record<string, unknown> = {};
  const fill = (key: string, value: unknown): boolean => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const plain = isObject(schema) ? plainValue(schema, value, formats) : undefined;
    if (plain === undefined) return false;
    made[key] = plain;
    return true;
  };
  for (const [key, value] of Object.entries(given)) if (!fill(key, value)) return undefined;
  for (const [key, schema] of Object.entries(properties)) {
    if (Object.hasOwn(made, key) || !isObject(schema) || schema["default"] === undefined) continue;
    if (!fill(key, structuredClone(schema["default"]))) return undefined;
  }
  return made;
}
