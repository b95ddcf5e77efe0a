import assert from "node:assert/strict";
import { compileSchema } from "./schema.ts";

Deno.test("a problem names its place", () => {
  const check = compileSchema({
    type: "object",
    required: ["t"],
    properties: {
      t: { type: "number", maximum: 60 },
      in: { type: "object", properties: { a: { type: "string" } } },
    },
  });
  assert.equal(check.problem({ t: 5 }), undefined);
  assert.equal(check.problem({ t: 99 }), "/t must be <= 60");
  assert.equal(check.problem({ t: 1, in: { a: 1 } }), "/in/a must be string");
  assert.equal(check.problem({}), "payload must have required property 't'");
});

Deno.test("names that objects inherit are names like others", () => {
  const check = compileSchema({
    type: "object",
    required: ["toString"],
    additionalProperties: { type: "number" },
  });
  assert.match(check.problem({}) ?? "", /toString/);
  assert.equal(check.problem(JSON.parse('{"toString":1}')), undefined);
  assert.match(check.problem(JSON.parse('{"toString":1,"__proto__":"x"}')) ?? "", /number/);
});

Deno.test("a pattern that makes other engines hang takes no time", () => {
  const check = compileSchema({
    type: "object",
    properties: { s: { type: "string", pattern: "^(a+)+$" } },
  });
  // 2^100,000 steps for a backtracking engine: that this ends at all is the test.
  assert.match(check.problem({ s: `${"a".repeat(100_000)}!` }) ?? "", /pattern/);
  assert.equal(check.problem({ s: "aaa" }), undefined);
});

Deno.test("formats are checked", () => {
  const check = compileSchema({
    type: "object",
    properties: { at: { type: "string", format: "date-time" } },
  });
  assert.equal(check.problem({ at: "2019-11-26T03:54:20Z" }), undefined);
  assert.match(check.problem({ at: "yesterday" }) ?? "", /date-time/);
});

const refused: [what: string, schema: unknown][] = [
  ["text", "x"],
  ["list", []],
  ["asynchronous", { $async: true }],
  ["unknown type", { type: "x" }],
  ["unknown format", { type: "string", format: "x" }],
  ["pattern RE2 cannot run", { type: "string", pattern: "(?=a)" }],
  ["reference elsewhere", { $ref: "http://127.0.0.1/x" }],
];
for (const [what, schema] of refused) {
  Deno.test(`no schema: ${what}`, () => assert.throws(() => compileSchema(schema), TypeError));
}
