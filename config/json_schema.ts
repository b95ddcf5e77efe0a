/**
 * The option table as JSON Schema: what validation uses, and what editors read from
 * schema/sluice.schema.json.
 *
 * @module
 */
import type { Node, Option } from "./option.ts";

type Json = Readonly<Record<string, unknown>>;

/** The schema of one node with all below it. Defaults are in it, so that ajv can fill them in. */
export function jsonSchemaOf(node: Node): Json {
  if (node.kind === "option") {
    const text = { description: describe(node) };
    return node.default === undefined
      ? { ...text, ...node.schema }
      : { ...text, ...node.schema, default: node.default };
  }
  return {
    description: node.doc,
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(node.keys).map(([key, child]) => [key, jsonSchemaOf(child)]),
    ),
    default: {},
  };
}

/** The schema file: the table, and `$schema` so that a configuration may name it. */
export function publishedSchema(root: Node): Json {
  const { default: _, ...schema } = jsonSchemaOf(root);
  const properties = { $schema: { type: "string" }, ...Object(schema.properties) };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Sluice configuration",
    ...schema,
    properties,
  };
}

function describe(option: Option): string {
  const unit = option.unit === undefined ? "" : ` Unit: ${option.unit}.`;
  const absent = option.default !== undefined || option.defaultDoc === undefined
    ? ""
    : ` Default: ${option.defaultDoc}.`;
  return option.doc + unit + absent;
}
