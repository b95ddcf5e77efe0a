import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "./any_text.ts";

Deno.test("any text is well formed, of any plane, and holds names of JavaScript's own", () => {
  const texts = fc.sample(anyText(), { numRuns: 3_000, seed: 1 });
  assert.ok(texts.every((text) => text.isWellFormed()));
  const all = texts.join("");
  for (const some of [/\0/, /[a-z]/, /[\u0370-\uffff]/, /[\u{10000}-\u{10ffff}]/u]) {
    assert.match(all, some);
  }
  assert.ok(texts.includes("__proto__") || texts.includes("constructor"));
});
