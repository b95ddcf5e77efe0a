import assert from "node:assert/strict";
import fc from "fast-check";
import { type Block, type Slab, Slabs } from "./slabs.ts";

Deno.test("blocks are zeros when they are taken, and nobody else's while they are in use", () => {
  // A slab holds three blocks, or one.
  const step = fc.record({
    blockWords: fc.constantFrom(80_000, 200_000),
    frees: fc.boolean(),
    which: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slabs = new Slabs();
      const held: { readonly block: Block; readonly mark: number }[] = [];
      for (const [i, { blockWords, frees, which }] of steps.entries()) {
        if (frees && held.length > 0) {
          const [{ block: { slab, at }, mark }] = held.splice(which % held.length, 1) as [
            typeof held[number],
          ];
          const last = at + slab.blockWords - 1;
          assert.deepEqual([slab.words[at], slab.words[last]], [mark, mark]);
          slabs.free({ slab, at });
          continue;
        }
        const block = slabs.take(blockWords);
        const { slab, at } = block;
        const last = at + blockWords - 1;
        assert.deepEqual([slab.words[at], slab.words[last]], [0, 0]);
        slab.words[at] = slab.words[last] = i + 1;
        held.push({ block, mark: i + 1 });
      }
      const slabOf = new Set(held.map(({ block: { slab } }) => slab));
      for (const slab of slabOf) assert.ok(!slab.empty);
      const places = held.map(({ block: { slab, at } }) => `${[...slabOf].indexOf(slab)}/${at}`);
      assert.equal(new Set(places).size, held.length);
    }),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("slabs are used again, and let go of when there is another with room", () => {
  const slabs = new Slabs();
  const size = 100_000; // Two to a slab.
  const blocks = Array.from({ length: 6 }, () => slabs.take(size));
  const all = new Set<Slab>(blocks.map(({ slab }) => slab));
  assert.equal(all.size, 3);
  for (const block of blocks) slabs.free(block);
  const again = [1, 2, 3, 4].map(() => slabs.take(size).slab);
  assert.equal(again.filter((slab) => all.has(slab)).length, 2);
  assert.equal(new Set(again).size, 2);
});
