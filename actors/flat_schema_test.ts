import assert from "node:assert/strict";
import fc from "fast-check";
import { KeyTree } from "./decode_keys.ts";
import { Decoded } from "./decode_result.ts";
import { FlatJson } from "./flat_json.ts";
import { compileSchema } from "./schema.ts";

const utf8 = new TextEncoder();

/** Tells of a payload what the scan says, and what ajv says. */
function judge(schema: unknown, accepts: boolean) {
  const check = compileSchema(schema);
  const keys = new KeyTree({
    from: [[]],
    flatten: true,
    accepts: () => accepts,
    arrays: [{ path: ["list"], names: ["x", "y"] }],
    captures: [{ path: ["ts"], field: false }],
    schema: check.flat,
  });
  const out = new Decoded(256, 1);
  const scanner = new FlatJson(keys, out, { booleans: "number", strings: "text" }, 8);
  return (payload: string) => {
    const bytes = utf8.encode(payload);
    // Twice: the second time keys are found by guessing.
    for (const _ of [1, 2]) assert.equal(scanner.scan(bytes, 0, bytes.length), "none", payload);
    const problem = check.problem(JSON.parse(payload));
    return { fits: check.flat !== undefined && scanner.fits, problem };
  };
}

const bench = {
  type: "object",
  required: ["t", "seq"],
  additionalProperties: false,
  properties: {
    t: { type: "number", minimum: -60, exclusiveMaximum: 100 },
    seq: { type: "integer" },
    ts: { type: "integer", title: "when" },
    ok: { type: ["boolean", "null"] },
    any: true,
  },
};

const decided: [schema: unknown, payload: string][] = [
  [bench, '{"t":25.3,"seq":1}'],
  [bench, '{"seq":1.0,"t":-60,"ts":1574729660000,"ok":null,"any":{"a":[1]}}'],
  [bench, '{"\\u0074":-0,"seq":12345678901234567890,"ok":true}'],
  [{ type: "object" }, '{"__proto__":1,"toString":"x"}'],
  [{ required: ["toString"] }, '{"toString":{}}'],
];
for (const [i, [schema, payload]] of decided.entries()) {
  Deno.test(`the scan alone decides that a payload fits: ${i} ${payload}`, () => {
    assert.deepEqual(judge(schema, true)(payload), { fits: true, problem: undefined });
  });
}

/** The second one is what only ajv decides. */
const mostly = <A, B>(one: fc.Arbitrary<A>, other: fc.Arbitrary<B>) =>
  fc.oneof({ weight: 9, arbitrary: one }, { weight: 1, arbitrary: other });
const member = fc.record({
  type: fc.oneof(
    fc.constantFrom("number", "integer", "string", "boolean", "null", "object", "array"),
    fc.constantFrom(["number", "null"], ["integer", "string"], ["integer", "number"]),
  ),
  minimum: fc.constantFrom(-1, 0, 1, 1e308),
  maximum: fc.constantFrom(-1, 0, 1, 9007199254740992),
  exclusiveMinimum: fc.constantFrom(-1, 0, 0.1),
  exclusiveMaximum: fc.constantFrom(0, 1, 100),
  // What only ajv decides.
  multipleOf: fc.constant(0.5),
  enum: fc.constant([1, "a", null]),
  minLength: fc.constant(2),
}, { requiredKeys: [] }).map((rule) => {
  // Most rules without the last three.
  const { multipleOf, enum: values, minLength, ...flat } = rule;
  return multipleOf !== undefined && values !== undefined && minLength !== undefined ? rule : flat;
});
const name = mostly(
  fc.constantFrom("a", "b", "ts", "list", "toString", "é"),
  fc.constantFrom("__proto__", "\ufffd"),
);
const schemas = fc.record({
  type: mostly(fc.constant("object"), fc.constant(["object", "null"])),
  properties: fc.array(fc.tuple(name, mostly(member, fc.boolean())), { maxLength: 4 })
    .map((entries) => {
      const properties: Record<string, unknown> = Object.create(null);
      for (const [key, rule] of entries) properties[key] = rule;
      return properties;
    }),
  required: fc.uniqueArray(name, { maxLength: 2 }),
  additionalProperties: mostly(fc.boolean(), member),
}, { requiredKeys: [] });

// Half a surrogate is a key, but none that UTF-8 could hold.
const keyText = fc.oneof(name, fc.constant("\ud800")).chain((key) =>
  fc.constantFrom(
    JSON.stringify(key),
    `"${
      [...key].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
    }"`,
  )
);
const value = fc.oneof(
  fc.constantFrom("0", "-0", "1", "1.0", "0.1", "-1", "1e400", "-1E400", "1e-400", "1e2", "100.0"),
  fc.constantFrom("9007199254740993", "12345678901234567890", "0.30000000000000004", "100000000.5"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('"a"', '""', '"\\n"', "true", "false", "null", "[1,2]", "[]", '{"a":1}', "{}"),
);
const payloads = fc.array(fc.tuple(keyText, value), { maxLength: 5 })
  .map((members) => `{${members.map(([key, text]) => `${key}: ${text}`).join(" ,")}}`);

Deno.test("what fits by the scan fits by ajv, for any schema and payload", () => {
  let fitting = 0;
  fc.assert(
    fc.property(schemas, fc.array(payloads, { minLength: 20, maxLength: 20 }), fc.boolean(), (
      schema,
      each,
      accepts,
    ) => {
      const judged = judge(schema, accepts);
      for (const payload of each) {
        const { fits, problem } = judged(payload);
        if (!fits) continue;
        fitting++;
        assert.equal(problem, undefined, `${JSON.stringify(schema)} ${payload}`);
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(fitting > 100, `only ${fitting} were decided by the scan`);
});
