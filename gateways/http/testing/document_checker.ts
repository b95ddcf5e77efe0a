/**
 * Holds answers to the OpenAPI document: status, headers, media type, and the body by its schema.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** An answer as it came. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface DocumentChecker {
  /** All that were found and understood. */
  readonly schemas: number;
  /** Every operation: `GET /api/devices/{id}`. */
  readonly operations: readonly string[];
  /** Throws unless the answer is one that the document has for the operation. */
  check(operation: string, answered: Answered): void;
  /** Throws unless each example fits its schema; gives how many there are. */
  checkExamples(): number;
}

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function member(of: unknown, ...names: readonly string[]): Json | undefined {
  let at: unknown = of;
  for (const name of names) at = isJson(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return isJson(at) ? at : undefined;
}

const documentUrl = "https://sluice.invalid/openapi.json";
const methods = ["get", "put", "post", "patch", "delete"];
const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
const utf8 = new TextDecoder("utf-8", { fatal: true });

export function documentChecker(document: Json): DocumentChecker {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: true });
  addFormats.default(ajv);
  for (const word of ["paths", "components"]) ajv.addKeyword(word);
  const { paths, components } = document;
  ajv.addSchema({ $id: documentUrl, paths, components });
  const compiled = new Map<string, ValidateFunction>();
  const schemaAt = (pointer: readonly string[]): ValidateFunction => {
    const id = `${documentUrl}#/${pointer.map(escaped).join("/")}`;
    const known = compiled.get(id) ?? ajv.compile({ $ref: id });
    compiled.set(id, known);
    return known;
  };
  const check = (pointer: readonly string[], value: unknown, about: string): void => {
    const validate = schemaAt(pointer);
    assert.ok(validate(value), `${about}: ${ajv.errorsText(validate.errors)}`);
  };

  const operations: string[] = [];
  const examples: (readonly string[])[] = [];
  const walk = (node: unknown, pointer: readonly string[]): void => {
    if (Array.isArray(node)) node.forEach((one, i) => walk(one, [...pointer, String(i)]));
    if (!isJson(node)) return;
    if (isJson(node.schema)) {
      schemaAt([...pointer, "schema"]);
      if ("example" in node) examples.push(pointer);
    }
    for (const name of Object.keys(member(node, "x-events") ?? {})) {
      schemaAt([...pointer, "x-events", name]);
    }
    for (const [name, one] of Object.entries(node)) {
      if (name !== "schema" && name !== "example") walk(one, [...pointer, name]);
    }
  };
  walk(paths, ["paths"]);
  for (const name of Object.keys(member(document, "components", "schemas") ?? {})) {
    schemaAt(["components", "schemas", name]);
  }
  for (const [path, item] of Object.entries(member(document, "paths") ?? {})) {
    for (const method of methods) {
      if (member(item, method) !== undefined) operations.push(`${method.toUpperCase()} ${path}`);
    }
  }

  return {
    schemas: compiled.size,
    operations,
    check(operation, { status, headers, body }) {
      const [method = "", path = ""] = operation.split(" ");
      const about = `${operation} ${status} ${new TextDecoder().decode(body.subarray(0, 300))}`;
      const at = ["paths", path, method.toLowerCase(), "responses", String(status)];
      const response = member(document, ...at);
      assert.ok(response !== undefined, `${about}: the document has no such answer`);
      for (const [name, header] of Object.entries(member(response, "headers") ?? {})) {
        if (member(header)?.required !== true) continue;
        assert.ok(headers.has(name), `${about}: ${name} is missing`);
      }
      const contents = member(response, "content");
      if (contents === undefined) return assert.equal(body.length, 0, about);
      const type = headers.get("content-type")?.split(";")[0] ?? "";
      const key = Object.hasOwn(contents, type) ? type : "*/*";
      assert.ok(Object.hasOwn(contents, key), `${about}: the document has no ${type}`);
      const content = [...at, "content", key];
      if (key === "*/*") return;
      const text = utf8.decode(body);
      if (type === "text/event-stream") {
        for (const { name, data } of eventsOf(text)) {
          check([...content, "x-events", name], JSON.parse(data), `${operation} event ${data}`);
        }
      } else {
        check([...content, "schema"], /[/+]json$/.test(type) ? JSON.parse(text) : text, about);
      }
    },
    checkExamples() {
      for (const pointer of examples) {
        const value = member(document, ...pointer)?.example;
        check([...pointer, "schema"], value, pointer.join("/"));
      }
      return examples.length;
    },
  };
}

/** The whole events of a stream that have data. */
function eventsOf(text: string): { readonly name: string; readonly data: string }[] {
  return text.split("\n\n").slice(0, -1).flatMap((event) => {
    const line = (field: string) =>
      event.split("\n").find((one) => one.startsWith(`${field}: `))?.slice(field.length + 2);
    const data = line("data");
    return data === undefined ? [] : [{ name: line("event") ?? "message", data }];
  });
}
