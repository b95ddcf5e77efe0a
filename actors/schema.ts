/**
 * JSON Schemas of routes. Compiled once; only own properties count, so `__proto__` and `toString`
 * are names like others; patterns run in linear time, so none can hang a shard.
 *
 * @module
 */
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { RE2JS } from "re2js";
import { messageOf } from "../runtime/message_of.ts";
import { type FlatSchema, flatSchema } from "./flat_schema.ts";

/** Checks payloads against one schema. */
export interface SchemaCheck {
  /** What of it a scan can decide; `undefined`: nothing. */
  readonly flat: FlatSchema | undefined;
  /** What is wrong, with the place of it, or `undefined` when the payload fits. */
  problem(payload: unknown): string | undefined;
}

/** Formats that are checked without backtracking over long input. */
const formats = ["date", "time", "date-time", "duration", "uuid", "ipv4", "ipv6"] as const;

/** A regular expression by RE2: ajv needs only `test` of it. */
const re2 = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: "re2" },
);

/**
 * Compiles a schema (draft-07).
 *
 * @throws {TypeError} when it is not a schema; the message says where and why.
 */
export function compileSchema(schema: unknown): SchemaCheck {
  const isSchema = typeof schema === "boolean" || (typeof schema === "object" && schema !== null);
  if (!isSchema || Array.isArray(schema)) throw new TypeError("a schema is an object or a boolean");
  if (typeof schema === "object" && "$async" in schema) {
    throw new TypeError("$async schemas are not supported");
  }
  const ajv = new Ajv({
    // Unknown keywords and formats are mistakes; what is only a matter of taste is not.
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    ownProperties: true,
    code: { regExp: re2 },
    logger: false,
  });
  addFormats.default(ajv, [...formats]);
  const validate = compile(ajv, schema);
  return {
    flat: flatSchema(schema),
    problem(payload) {
      if (validate(payload)) return undefined;
      const error = validate.errors?.[0];
      return error === undefined
        ? "does not fit the schema"
        : `${error.instancePath === "" ? "payload" : error.instancePath} ${error.message}`;
    },
  };
}

function compile(ajv: Ajv, schema: boolean | object) {
  try {
    return ajv.compile<unknown>(schema);
  } catch (cause) {
    throw new TypeError(messageOf(cause), { cause });
  }
}
