import assert from "node:assert/strict";
import { Problem, problemHeaders, problemResponse, problemTypes } from "./problem.ts";

Deno.test("who is told to come later is told when, also where nobody said it", async () => {
  for (const type of problemTypes) {
    const answer = problemResponse(new Problem(type, "x"));
    const later = problemHeaders(type).includes("retry-after");
    assert.equal(answer.headers.get("retry-after"), later ? "5" : null, type);
    assert.equal((await answer.json()).status, answer.status);
  }
  const known = problemResponse(new Problem("backpressure", "x", {}, { "retry-after": "1" }));
  assert.equal(known.headers.get("retry-after"), "1");
  await known.body?.cancel();
});
