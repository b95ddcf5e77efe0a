import assert from "node:assert/strict";
import fc from "fast-check";
import { SequenceRanges } from "./sequence_ranges.ts";

Deno.test("it holds what a plain set holds, in the fewest ranges", () => {
  const sequence = fc.nat({ max: 40 });
  const step = fc.tuple(fc.constantFrom("add", "remove"), sequence, sequence);
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), sequence, sequence, (steps, a, b) => {
    const ranges = new SequenceRanges();
    const model = new Set<number>();
    for (const [kind, start, end] of steps) {
      if (kind === "add") ranges.add(start, end);
      else ranges.remove(start, end);
      for (let i = start; i < end; i++) {
        if (kind === "add") model.add(i);
        else model.delete(i);
      }
    }
    const sorted = [...model].sort((x, y) => x - y);
    const listed = [...ranges].flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i)
    );
    assert.deepEqual(listed, sorted);
    assert.equal(ranges.ranges, sorted.filter((n) => !model.has(n - 1)).length);
    assert.equal(ranges.first, sorted[0]);
    assert.equal(ranges.empty, sorted.length === 0);
    for (let i = 0; i < 42; i++) assert.equal(ranges.has(i), model.has(i));
    const among = sorted.filter((n) => n >= a && n < b).length;
    assert.equal(ranges.intersects(a, b), among > 0);
    assert.equal(ranges.covers(a, b), among === Math.max(0, b - a));
  }));
});

Deno.test("one number is a range of its own", () => {
  const ranges = new SequenceRanges();
  ranges.add(5);
  ranges.add(6);
  ranges.remove(5);
  assert.deepEqual([...ranges], [[6, 7]]);
});
