import assert from "node:assert/strict";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { addReading, commitOnce, linesOf, openTestSpool } from "./testing/test_spool.ts";

/** A spool directory with one reading a segment. */
async function spoolWith(files: MemoryFiles, directory: string, lines: readonly string[]) {
  const { spool } = await openTestSpool(files, { directory, segmentBytes: 1, live: () => false });
  for (const line of lines) {
    addReading(spool, line);
    assert.equal(await commitOnce(spool), true);
  }
  spool.close();
}

Deno.test("the readings of a shard that is no more are taken over, wherever a crash falls", async () => {
  for (let stop = 0; stop < 8; stop++) {
    const files = new MemoryFiles();
    await spoolWith(files, "own", ["a", "b"]);
    await spoolWith(files, "gone", ["c", "d", "e"]);
    let operations = 0;
    files.fault = (operation) => {
      if (operation !== "rename" && operation !== "remove" && operation !== "syncDirectory") return;
      if (operations++ === stop) throw new Error("the machine stops here");
    };
    const changes = { directory: "own", orphans: ["gone"], live: () => false };
    await openTestSpool(files, changes).catch(() => {});
    files.fault = () => {};
    const { recovered, spool } = await openTestSpool(files, changes);
    assert.deepEqual(recovered.toSorted(), ["a", "b", "c", "d", "e"], `stop ${stop}`);
    assert.deepEqual(files.list("gone").files, []);
    assert.equal((await spool.read(Infinity)).flatMap(linesOf).length, 5);
    spool.close();
  }
});

Deno.test("an heir whose own segments are all done with does not take the orphans for old ones", async () => {
  const files = new MemoryFiles();
  const { spool, live } = await openTestSpool(files, { directory: "own", keepMs: 0 });
  for (let i = 0; i < 5; i++) {
    addReading(spool, "x".repeat(900));
    await commitOnce(spool);
    spool.delivered(live.pop()!);
    spool.sweep();
  }
  spool.close();
  await spoolWith(files, "gone", ["a"]);
  const { recovered } = await openTestSpool(files, { directory: "own", orphans: ["gone"] });
  assert.deepEqual(recovered, ["a"]);
});

Deno.test("a spool on another file system is not taken over, and the error says what to do", async () => {
  const files = new MemoryFiles();
  await spoolWith(files, "gone", ["a"]);
  files.fault = (operation) => {
    if (operation !== "rename") return;
    throw Object.assign(new Error("Invalid cross-device link"), { code: "EXDEV" });
  };
  const opening = openTestSpool(files, { directory: "own", orphans: ["gone"] });
  await assert.rejects(opening, /Cannot take over gone\/.* different file systems\. Put the dir/);
  files.fault = () => {};
  const { recovered } = await openTestSpool(files, { directory: "own", orphans: ["gone"] });
  assert.deepEqual(recovered, ["a"]);
});
