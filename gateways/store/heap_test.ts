import assert from "node:assert/strict";
import fc from "fast-check";
import { Heap } from "./heap.ts";

Deno.test("elements leave in order, also when the first is changed in place", () => {
  fc.assert(fc.property(fc.array(fc.array(fc.nat(50), { minLength: 1 })), (streams) => {
    const sorted = streams.map((stream) => stream.toSorted((a, b) => a - b));
    const heap = new Heap<{ value: number; rest: number[] }>((a, b) => a.value < b.value);
    for (const [value, ...rest] of sorted) heap.push({ value: value!, rest });
    const merged: number[] = [];
    for (let first = heap.first; first !== undefined; first = heap.first) {
      merged.push(first.value);
      const next = first.rest.shift();
      if (next === undefined) heap.shift();
      else {
        first.value = next;
        heap.sink();
      }
    }
    assert.deepEqual(merged, streams.flat().toSorted((a, b) => a - b));
  }));
});
