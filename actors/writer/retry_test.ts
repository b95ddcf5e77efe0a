import assert from "node:assert/strict";
import { decide } from "./retry.ts";

const never = () => 0;

Deno.test("each answer has its decision", () => {
  assert.deepEqual(decide({ kind: "stored" }, 3, never), { kind: "done" });
  assert.deepEqual(decide({ kind: "too_large", reason: "413" }, 0, never), {
    kind: "narrow",
    word: "store_too_large",
    detail: "413",
  });
  for (const partial of [true, false]) {
    assert.deepEqual(decide({ kind: "rejected", reason: "bad", partial }, 0, never), {
      kind: "narrow",
      word: "store_rejected",
      detail: "bad",
    });
  }
});

Deno.test("waits double to five seconds, less what is drawn", () => {
  const delays = (random: () => number) =>
    [0, 1, 2, 3, 5, 6, 1_000].map((failures) => {
      const decision = decide({ kind: "retry", reason: "r" }, failures, random);
      return decision.kind === "wait" ? decision.delayMs : undefined;
    });
  assert.deepEqual(delays(never), [100, 200, 400, 800, 3_200, 5_000, 5_000]);
  assert.deepEqual(delays(() => 1), [50, 100, 200, 400, 1_600, 2_500, 2_500]);
});

Deno.test("a store's wish is kept, up to five minutes", () => {
  for (const [retryAfterMs, delayMs] of [[10, 100], [30_000, 30_000], [1e9, 300_000]] as const) {
    const decision = decide({ kind: "retry", reason: "r", retryAfterMs }, 0, never);
    assert.deepEqual(decision, { kind: "wait", delayMs, reason: "r" });
  }
});

Deno.test("wrong settings are tried again slowly", () => {
  const decision = decide({ kind: "misconfigured", reason: "401" }, 0, never);
  assert.deepEqual(decision, { kind: "wait", delayMs: 15_000, reason: "401" });
});
