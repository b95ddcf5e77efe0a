import assert from "node:assert/strict";
import { batchLength, writeInMs } from "./batching.ts";

const limits = { countMax: 10, bytesMax: 100, ageMaxMs: 50 };

Deno.test("a batch is due by count, by bytes, by age, or because somebody waits", () => {
  const small = { count: 1, bytes: 1, ageMs: 0, urgent: false };
  for (
    const [waiting, ms] of [
      [{ ...small, count: 0 }, undefined],
      [small, 50],
      [{ ...small, ageMs: 20 }, 30],
      [{ ...small, ageMs: 70 }, 0],
      [{ ...small, count: 10 }, 0],
      [{ ...small, bytes: 100 }, 0],
      [{ ...small, urgent: true }, 0],
    ] as const
  ) assert.equal(writeInMs(waiting, limits), ms);
});

Deno.test("a batch keeps within both limits but is never empty", () => {
  const size = (count: number, bytes: number) => ({ count, bytes });
  for (
    const [sizes, length] of [
      [[], 0],
      [[size(50, 5_000)], 1],
      [[size(4, 10), size(4, 10), size(4, 10)], 2],
      [[size(1, 60), size(1, 40), size(1, 1)], 2],
      [[size(1, 500), size(1, 1)], 1],
    ] as const
  ) assert.equal(batchLength(sizes, limits), length);
});
