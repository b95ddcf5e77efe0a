import assert from "node:assert/strict";
import { seededRandom } from "./random.ts";

Deno.test("a seed repeats its sequence, another seed does not", () => {
  const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(take(1), take(1));
  assert.notDeepEqual(take(1), take(2));
});

Deno.test("numbers lie in 0 ≤ x < 1 and spread evenly", () => {
  const random = seededRandom(42);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const x = random();
    assert.ok(x >= 0 && x < 1);
    buckets[Math.floor(x * 10)]!++;
  }
  for (const count of buckets) assert.ok(count > 850 && count < 1_150, String(buckets));
});
