import fc from "fast-check";
import assert from "node:assert/strict";
import { SharedKeys, sharedKeysBytes, sharedKeysMemory } from "./shared_keys.ts";

Deno.test("what Workers have of keys is what was added and not taken away, whatever the order", () => {
  const step = fc.record({
    worker: fc.nat({ max: 1 }),
    key: fc.nat({ max: 12 }).map((n) => `A\0${n}`),
    adds: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
    const memory = sharedKeysMemory(2, 8);
    const workers = [0, 1].map((worker) => new SharedKeys(memory, 2, worker, seed));
    const model: string[][] = [[], []];
    for (const { worker, key, adds } of steps) {
      const known = model[worker]!;
      if (adds) {
        assert.equal(workers[worker]!.add(key), known.length < 8);
        if (known.length < 8) known.push(key);
      } else {
        workers[worker]!.remove(key);
        if (known.includes(key)) known.splice(known.indexOf(key), 1);
      }
      for (let n = 0; n <= 12; n++) {
        const name = `A\0${n}`;
        const there = model.some((keys) => keys.includes(name));
        for (const view of workers) assert.equal(view.has(name), there);
      }
    }
  }));
});

Deno.test("of 20,000 keys none is taken for another; a Worker that starts anew has none", () => {
  const memory = sharedKeysMemory(2, 10_000);
  assert.equal(memory.byteLength, sharedKeysBytes(2, 10_000));
  const workers = [0, 1].map((worker) => new SharedKeys(memory, 2, worker, 7));
  for (let i = 0; i < 20_000; i++) assert.equal(workers[i % 2]!.add(`A\0client-${i}`), true);
  assert.equal(workers[0]!.add("one more"), false);
  for (let i = 0; i < 20_000; i++) {
    assert.equal(workers[0]!.has(`A\0client-${i}`), true);
    assert.equal(workers[0]!.has(`A\0other-${i}`), false);
  }
  new SharedKeys(memory, 2, 1, 7);
  assert.equal(workers[0]!.has("A\0client-1"), false);
  assert.equal(workers[0]!.has("A\0client-2"), true);
});
