import assert from "node:assert/strict";
import fc from "fast-check";
import { SmallMap, SmallSet } from "./small_map.ts";

Deno.test("a small map and a small set are what a map and a set are", () => {
  const step = fc.tuple(fc.constantFrom("set", "delete"), fc.nat(3), fc.nat(9));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const small = new SmallMap<number, number>();
      const set = new SmallSet<number>();
      const model = new Map<number, number>();
      for (const [kind, key, value] of steps) {
        if (kind === "set") {
          small.set(key, value);
          set.add(key);
          model.set(key, value);
        } else {
          const found = model.delete(key);
          assert.deepEqual([small.delete(key), set.delete(key)], [found, found]);
        }
        assert.deepEqual([...small.entries], [...model]);
        assert.deepEqual([...set], [...model.keys()]);
        assert.deepEqual([small.size, set.size], [model.size, model.size]);
        for (let other = 0; other < 4; other++) {
          assert.equal(small.get(other), model.get(other));
          assert.deepEqual([small.has(other), set.has(other)], [
            model.has(other),
            model.has(other),
          ]);
        }
      }
    }),
    { seed: 11 },
  );
});
