import assert from "node:assert/strict";
import fc from "fast-check";
import { inOrder } from "./in_order.ts";

const sorted = (strings: Iterable<string>): string[] =>
  [...inOrder(strings)].filter((text) => text !== undefined);

Deno.test("any strings come in their order, equal ones as often as they are there", () => {
  fc.assert(fc.property(fc.array(fc.string()), (strings) => {
    assert.deepEqual(sorted(strings), strings.toSorted());
  }));
});

Deno.test("more than a run are merged, and each run that was sorted gives others a turn", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 9_000 }), fc.integer(), (count, seed) => {
      const strings = Array.from({ length: count }, (_, i) => `d${Math.imul(i, seed) % 4_999}`);
      assert.deepEqual(sorted(strings), strings.toSorted());
      const turns = [...inOrder(strings)].filter((text) => text === undefined).length;
      assert.equal(turns, Math.ceil(count / 1_024));
    }),
    { numRuns: 20 },
  );
});
