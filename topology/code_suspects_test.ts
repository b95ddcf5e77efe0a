import assert from "node:assert/strict";
import { CodeTrace } from "../actors/code_trace.ts";
import { CodeSuspects } from "./code_suspects.ts";

const encoder = new TextEncoder();

Deno.test("code that had not returned is guilty at once, code that had at the second death", () => {
  const suspects = new CodeSuspects();
  assert.equal(suspects.died(), undefined);
  let trace = new CodeTrace(suspects.memory);
  trace.enter(encoder.encode("spins"));
  assert.equal(suspects.died(), "spins");
  trace = new CodeTrace(suspects.memory);
  assert.equal(suspects.died(), undefined);
  for (const found of [undefined, "throws later", undefined]) {
    trace.enter(encoder.encode("throws later"));
    trace.leave();
    assert.equal(suspects.died(), found);
  }
  assert.deepEqual(suspects.list, ["spins", "throws later"]);
});

Deno.test("who was given another chance is not guilty of what was before", () => {
  const suspects = new CodeSuspects({ a: 2, b: 1 });
  suspects.forgive("a");
  assert.deepEqual(suspects.list, []);
  assert.deepEqual(suspects.strikes, { b: 1 });
  const trace = new CodeTrace(suspects.memory);
  for (const found of [undefined, "a"]) {
    trace.enter(encoder.encode("a"));
    trace.leave();
    assert.equal(suspects.died(), found);
  }
});

Deno.test("an id that is too long to note accuses nobody", () => {
  const suspects = new CodeSuspects();
  const trace = new CodeTrace(suspects.memory);
  trace.enter(encoder.encode("a"));
  trace.leave();
  trace.enter(encoder.encode("b".repeat(2_000)));
  assert.equal(suspects.died(), undefined);
});
