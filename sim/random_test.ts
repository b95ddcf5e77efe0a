import assert from "node:assert/strict";
import fc from "fast-check";
import { mix32, Random } from "./random.ts";

Deno.test("random: a seed decides the stream, a fork's number its stream", () => {
  const stream = (random: Random) => Array.from({ length: 5 }, () => random.next());
  assert.deepEqual(stream(new Random(1)), stream(new Random(1)));
  assert.notDeepEqual(stream(new Random(1)), stream(new Random(2)));
  const root = new Random(1);
  assert.deepEqual(stream(root.fork(3)), stream(new Random(1).fork(3)));
  assert.notDeepEqual(stream(root.fork(3)), stream(root.fork(4)));
});

Deno.test("random: values lie where they should, spread as they should", () => {
  const random = new Random(42);
  const count = 20_000;
  let sum = 0, normalSum = 0, normalSquares = 0;
  for (let i = 0; i < count; i++) {
    const value = random.between(2, 4);
    assert.ok(value >= 2 && value < 4);
    sum += value;
    const normal = random.normal();
    assert.ok(Number.isFinite(normal));
    normalSum += normal;
    normalSquares += normal * normal;
  }
  assert.ok(Math.abs(sum / count - 3) < 0.02);
  assert.ok(Math.abs(normalSum / count) < 0.03);
  assert.ok(Math.abs(normalSquares / count - 1) < 0.05);
});

Deno.test("random: mixing is one to one", () => {
  fc.assert(fc.property(fc.integer(), fc.integer(), (a, b) => {
    assert.equal(mix32(a) === mix32(b), a === b);
  }));
});
