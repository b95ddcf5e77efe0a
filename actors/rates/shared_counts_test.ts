import assert from "node:assert/strict";
import { SharedCounts, sharedCountsMemory } from "./shared_counts.ts";

Deno.test("every Worker counts for itself and sees the others; its successor begins anew", () => {
  const memory = sharedCountsMemory(3);
  const [a, b, c] = [0, 1, 2].map((worker) => new SharedCounts(memory, worker));
  a!.add(7);
  a!.add(7);
  b!.add(7);
  assert.equal(a!.of(7), 3);
  assert.deepEqual([a, b, c].map((worker) => worker!.elsewhere(7)), [[1], [0], [0, 1]]);
  assert.deepEqual(c!.elsewhere(8), []);
  a!.remove(7);
  assert.deepEqual(c!.elsewhere(7), [0, 1]);
  a!.remove(7);
  assert.deepEqual(c!.elsewhere(7), [1]);
  const successor = new SharedCounts(memory, 1);
  assert.deepEqual([c!.elsewhere(7), successor.of(7)], [[], 0]);
  assert.deepEqual([a!.turn(), c!.turn(), successor.turn()], [1, 2, 3]);
});
