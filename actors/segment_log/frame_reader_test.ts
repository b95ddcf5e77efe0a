import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../concat_bytes.ts";
import { allocateFrame, frameHeaderBytes, stampFrame } from "./frame.ts";
import { FrameReader } from "./frame_reader.ts";
import { MemoryFiles } from "./testing/memory_files.ts";

const salt = 0x5a17;

/** Frames of the given body sizes, each one item, end to end. */
function segmentOf(sizes: readonly number[], withSalt = salt): Uint8Array<ArrayBuffer>[] {
  return sizes.map((size, index) => {
    const frame = allocateFrame(size);
    frame.fill(index + 1, frameHeaderBytes);
    stampFrame(frame, withSalt, { kind: 1, index, before: index, count: 1 });
    return frame;
  });
}

async function readAll(content: Uint8Array<ArrayBuffer>, chunk?: number) {
  const files = new MemoryFiles();
  files.nodes.set("d/x", { bytes: content, syncedBytes: content.length });
  const reader = new FrameReader(files.open("d/x"), salt, 0, content.length, chunk);
  const indexes: number[] = [];
  for (let frame; (frame = await reader.next()) !== undefined;) indexes.push(frame.index);
  return { indexes, corruptBytes: reader.corruptBytes, goodEnd: reader.goodEnd };
}

Deno.test("a segment cut at every byte gives the frames that are whole, and a torn tail", async () => {
  const frames = segmentOf([10, 0, 70, 33]);
  const whole = concatBytes(frames);
  const ends = frames.map((_, i) => concatBytes(frames.slice(0, i + 1)).length);
  for (let cut = 0; cut <= whole.length; cut++) {
    for (const chunk of [frameHeaderBytes, 64, 1024]) {
      const read = await readAll(whole.slice(0, cut), chunk);
      const expected = ends.filter((end) => end <= cut);
      assert.deepEqual(read.indexes, expected.map((_, i) => i), `cut at ${cut}`);
      assert.equal(read.goodEnd, expected.at(-1) ?? 0);
      assert.equal(read.corruptBytes, 0);
    }
  }
});

Deno.test("a flipped bit anywhere costs that frame alone", async () => {
  const sizes = [10, 0, 70, 33];
  const frames = segmentOf(sizes);
  const whole = concatBytes(frames);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = whole.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    let end = 0;
    const hit = frames.findIndex((frame) => (end += frame.length) > bit >> 3);
    const { indexes, corruptBytes } = await readAll(damaged, 64);
    assert.deepEqual(indexes, [0, 1, 2, 3].filter((i) => i !== hit), `bit ${bit}`);
    assert.equal(corruptBytes, hit === 3 ? 0 : frames[hit]!.length);
  }
});

Deno.test("zeros, garbage and frames of another segment are not taken for frames", async () => {
  const own = segmentOf([16])[0]!;
  const foreign = segmentOf([16, 16], salt + 1);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 5 }), async (noise, gap) => {
      const padding = new Uint8Array((8 - noise.length % 8) % 8 + gap * 8);
      const { indexes } = await readAll(concatBytes([noise, padding, ...foreign, own]), 64);
      assert.deepEqual(indexes, [0]);
    }),
    { numRuns: 50, seed: 7 },
  );
});

Deno.test("a length that runs past the end does not hide what follows", async () => {
  const frames = segmentOf([16, 16, 16]);
  new DataView(frames[1]!.buffer).setUint32(8, 100_000 * 8, true);
  assert.deepEqual((await readAll(concatBytes(frames))).indexes, [0, 2]);
});
