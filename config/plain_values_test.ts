import assert from "node:assert/strict";
import fc from "fast-check";
import { formats } from "./formats.ts";
import { publishedSchema } from "./json_schema.ts";
import { options } from "./options.ts";
import { plainValue } from "./plain_values.ts";
import { isConfig } from "./schema_check.ts";
import { placedOptions } from "./table.ts";

const schema = publishedSchema(options);
const placed = [...placedOptions(options)];

Deno.test("what most configurations hold is told without ajv", () => {
  const files = [
    {},
    { $schema: "./schema/sluice.schema.json", shards: 2, mqtt: { tls: { certFile: "c.pem" } } },
    { broker: { urls: ["mqtt://a", "wss://b/mqtt"], qos: 0 }, spool: { full: "drop_oldest" } },
  ];
  for (const file of files) assert.ok(plainValue(schema, file, formats) !== undefined);
});

Deno.test("what is refused, or asks for more, is not known", () => {
  const routes = [{ name: "a", topic: "a/{b}", measurement: "m" }];
  const urls = ["mqtt://a", "mqtt://a"];
  const files = [[], null, { a: 1 }, { mqtt: 1 }, { shards: 0 }, { routes }, { broker: { urls } }];
  for (const file of files) assert.equal(plainValue(schema, file, formats), undefined);
});

const text = fc.constantFrom(
  "",
  "a",
  "127.0.0.1:1883",
  "127.0.0.1:99999",
  "10.0.0.0/8",
  "10:1,60:60",
  "a/+/#",
  "mqtt://h",
  "http://h",
  "postgres://h/d",
  "UPB/gateway=20:1",
  "spooled",
  "drop_oldest",
  "k7Jq0m2vX9cR4tZ1bN8wY5pL3sD6fG0h",
  "\u0000",
);
const value = fc.oneof(
  fc.boolean(),
  fc.constantFrom(null, -0, 1.5, Infinity, NaN, {}, Number.MAX_SAFE_INTEGER, 2 ** 60),
  fc.integer({ min: -1, max: 10 }),
  fc.integer({ min: 0, max: 2 ** 31 }),
  text,
  fc.array(fc.oneof(text, fc.constantFrom(1, null)), { maxLength: 3 }),
);
const keyPath = fc.oneof(
  { arbitrary: fc.constantFrom(...placed.map(({ path }) => path)), weight: 9 },
  fc.constantFrom(["mqtt"], ["$schema"], ["toString"], ["mqtt", "lisen"], ["__proto__"]),
);

function fileOf(settings: readonly (readonly [readonly string[], unknown])[]): unknown {
  const root = {};
  for (const [path, value] of settings) {
    let at: object = root;
    for (const key of path.slice(0, -1)) {
      const below: unknown = Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
      const next = typeof below === "object" && below !== null ? below : {};
      define(at, key, next);
      at = next;
    }
    define(at, path.at(-1)!, value);
  }
  return root;
}

/** As JSON.parse does it, also for `__proto__`. */
const define = (at: object, key: string, value: unknown): void => {
  Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
};

Deno.test("what is told without ajv is what ajv says", () => {
  let known = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(keyPath, value), { maxLength: 3 }), (settings) => {
      const before = fileOf(settings);
      const plain = plainValue(schema, fileOf(settings), formats);
      if (plain === undefined) return;
      known++;
      const filled: unknown = before;
      assert.ok(isConfig(filled), JSON.stringify(isConfig.errors));
      assert.deepEqual(plain, filled);
      assert.equal(JSON.stringify(plain), JSON.stringify(filled));
    }),
    { numRuns: 2_000, seed: 1 },
  );
  assert.ok(known > 200, `only ${known} were known`);
});
