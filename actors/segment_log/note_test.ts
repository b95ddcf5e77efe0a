import assert from "node:assert/strict";
import { readNote, writeNote, writeNoteDurably } from "./note.ts";
import { MemoryFiles } from "./testing/memory_files.ts";

Deno.test("a note comes back as it was written last, however it was", async () => {
  const files = new MemoryFiles();
  assert.equal(await readNote(files, "d", "note"), undefined);
  writeNote(files, "d", "note", "first\n");
  await writeNoteDurably(files, "d", "note", "sécond\n");
  assert.equal(await readNote(files, "d", "note"), "sécond\n");
  writeNote(files, "d", "note", "");
  assert.equal(await readNote(files, "d", "note"), "");
  assert.deepEqual([...files.nodes.keys()], ["d/note"]);
  assert.equal(files.openFiles, 0);
});

Deno.test("a note that fails at any step leaves the one before, and the next one is not hindered", async () => {
  for (const operation of ["create", "write", "sync", "rename"] as const) {
    const files = new MemoryFiles();
    await writeNoteDurably(files, "d", "note", "before");
    files.fault = (at) => {
      if (at === operation) throw new Error(`no ${operation}`);
    };
    await assert.rejects(writeNoteDurably(files, "d", "note", "after"), {
      message: `no ${operation}`,
    });
    assert.equal(files.openFiles, 0, operation);
    files.fault = () => {};
    assert.equal(await readNote(files, "d", "note"), "before", operation);
    await writeNoteDurably(files, "d", "note", "next");
    assert.equal(await readNote(files, "d", "note"), "next", operation);
  }
});

Deno.test("a note of which the disk takes a part is an error", async () => {
  const files = new MemoryFiles();
  files.writeBytesMax = 3;
  assert.throws(() => writeNote(files, "d", "note", "four"), /Cannot write d\/note.new whole/);
  assert.equal(await readNote(files, "d", "note"), undefined);
});

Deno.test("a durable note outlives the power: its bytes, before its name", async () => {
  const files = new MemoryFiles();
  const steps: string[] = [];
  files.fault = (operation) => steps.push(operation);
  await writeNoteDurably(files, "d", "note", "kept");
  assert.deepEqual(steps, ["create", "write", "sync", "rename", "syncDirectory"]);
  assert.equal(await readNote(files.crashed(), "d", "note"), "kept");
});
