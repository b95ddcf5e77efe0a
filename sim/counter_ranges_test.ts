import assert from "node:assert/strict";
import fc from "fast-check";
import { CounterRanges } from "./counter_ranges.ts";

Deno.test("counter ranges: the same as a set, however it grew", () => {
  const additions = fc.array(fc.tuple(fc.nat(60), fc.nat(9)));
  fc.assert(fc.property(additions, (runs) => {
    const ranges = new CounterRanges();
    const model = new Set<number>();
    for (const [from, length] of runs) {
      ranges.add(from, from + length);
      for (let counter = from; counter < from + length; counter++) model.add(counter);
      assert.equal(ranges.size, model.size);
    }
    for (let counter = 0; counter < 75; counter++) {
      assert.equal(ranges.has(counter), model.has(counter));
    }
    assert.equal(ranges.end, model.size === 0 ? 0 : Math.max(...model) + 1);
    ranges.ranges.forEach((range, i) => {
      assert.ok(range.from < range.to);
      const next = ranges.ranges[i + 1];
      assert.ok(next === undefined || range.to < next.from);
    });
  }));
});

Deno.test("counter ranges: a run that goes on stays one range", () => {
  const ranges = new CounterRanges();
  for (let counter = 0; counter < 1_000; counter++) ranges.add(counter, counter + 1);
  assert.deepEqual(ranges.ranges, [{ from: 0, to: 1_000 }]);
});
