import assert from "node:assert/strict";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { isDone, noCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";

Deno.test("a checkpoint comes back; one that is missing or damaged is none", async () => {
  const files = new MemoryFiles();
  assert.deepEqual(await readCheckpoint(files, "d"), noCheckpoint);
  for (const at of [{ segment: 3, items: 17 }, { segment: 1_000_000, items: 0 }]) {
    writeCheckpoint(files, "d", at);
    assert.deepEqual(await readCheckpoint(files, "d"), at);
  }
  const node = files.nodes.get("d/checkpoint")!;
  const whole = node.bytes;
  for (let cut = 0; cut < whole.length; cut++) {
    node.bytes = whole.slice(0, cut);
    assert.deepEqual(await readCheckpoint(files, "d"), noCheckpoint);
  }
});

Deno.test("a checkpoint that the disk does not take leaves the old one", async () => {
  const files = new MemoryFiles();
  writeCheckpoint(files, "d", { segment: 1, items: 1 });
  files.capacityBytes = files.usedBytes + 3;
  assert.throws(() => writeCheckpoint(files, "d", { segment: 2, items: 2 }));
  assert.throws(() => writeCheckpoint(files, "d", { segment: 2, items: 2 }));
  assert.deepEqual(await readCheckpoint(files, "d"), { segment: 1, items: 1 });
  assert.equal(files.openFiles, 0);
});

Deno.test("a record is done when all of it lies behind the checkpoint", () => {
  const at = { segment: 5, items: 10 };
  assert.deepEqual(
    [[4, 99], [5, 10], [5, 11], [6, 1]].map(([segment, items]) => isDone(at, segment!, items!)),
    [true, true, false, false],
  );
});
