import assert from "node:assert/strict";
import { failureOf, failurePlace } from "./failure.ts";

Deno.test("an error keeps its name, message and stack", () => {
  const failure = failureOf(new RangeError("too far"), 5);
  assert.deepEqual([failure.name, failure.message, failure.atMs], ["RangeError", "too far", 5]);
  assert.match(failure.stack ?? "", /failure_test/);
});

Deno.test("what is long is cut", () => {
  const error = new Error("x".repeat(5_000));
  error.stack = "y".repeat(50_000);
  const failure = failureOf(error, 0);
  assert.deepEqual([failure.message.length, failure.stack?.length], [1_000, 4_000]);
});

const hostile = {
  toString() {
    throw new Error("hostile");
  },
};
const things: readonly [unknown, string][] = [
  ["text", "text"],
  [undefined, "undefined"],
  [null, "null"],
  [Symbol("s"), "Symbol(s)"],
  [Object.create(null), "a value that cannot be shown"],
  [hostile, "a value that cannot be shown"],
];
for (const [i, [thrown, message]] of things.entries()) {
  Deno.test(`anything that was thrown has a message: ${i}`, () => {
    assert.deepEqual(failureOf(thrown, 1), { name: "NonError", message, atMs: 1 });
  });
}
Deno.test("a failure says where it was thrown, past what is the engine's own", () => {
  let thrown: unknown;
  try {
    JSON.parse("{");
  } catch (error) {
    thrown = error;
  }
  assert.match(failurePlace(failureOf(thrown, 0)) ?? "", /\/failure_test\.ts:\d+:\d+\)?$/);
  const nested = new Error("no\n    at home");
  assert.match(failurePlace(failureOf(nested, 0)) ?? "", /\/failure_test\.ts:\d+:\d+\)?$/);
  assert.equal(failurePlace(failureOf("text", 0)), undefined);
});
