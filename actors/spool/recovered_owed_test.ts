import assert from "node:assert/strict";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { OwedElsewhere, owedElsewhereMemory } from "./owed_elsewhere.ts";
import { addReading, commitOnce, openTestSpool } from "./testing/test_spool.ts";

Deno.test("who waits for a device's recovered readings is told when the store has the last of them", async () => {
  const files = new MemoryFiles();
  const first = await openTestSpool(files);
  for (const line of ["a", "b"]) {
    addReading(first.spool, line);
    await commitOnce(first.spool);
  }
  first.spool.group.lines.appendText("c\n");
  first.spool.group.add({ id: "later", groupNo: 0, slot: 0 }, 1, 1);
  await commitOnce(first.spool);

  const { spool } = await openTestSpool(files.crashed());
  const told: string[] = [];
  const wait = (device: string) =>
    spool.recoveredStored(device, { complete: () => told.push(device) });
  assert.deepEqual(["RPi_1", "later", "unknown"].map(wait), [true, true, false]);
  const records = await spool.read(1_000_000);
  assert.equal(records.length, 3);
  spool.delivered(records[1]!);
  assert.deepEqual(told, [], "the one before is not stored yet");
  spool.delivered(records[0]!);
  assert.deepEqual(told, ["RPi_1"]);
  assert.equal(wait("RPi_1"), false);
  spool.delivered(records[2]!);
  assert.deepEqual(told, ["RPi_1", "later"]);
  // What comes now has nothing to do with what was recovered.
  addReading(spool, "d");
  await commitOnce(spool);
  assert.equal(wait("RPi_1"), false);
  spool.close();
});

Deno.test("who waits for recovered readings is told when they are given up", async () => {
  const files = new MemoryFiles();
  const first = await openTestSpool(files);
  addReading(first.spool, "a");
  await commitOnce(first.spool);
  const pad = "x".repeat(300);
  const { spool, told } = await openTestSpool(files.crashed(), {
    live: () => false,
    whenFull: "drop_oldest",
    bytesMax: 2_000,
  });
  let given = 0;
  assert.equal(spool.recoveredStored("RPi_1", { complete: () => given++ }), true);
  for (let i = 0; i < 20; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
  }
  assert.ok(told.some((line) => line.startsWith("lost dropped")));
  spool.sweep();
  assert.equal(given, 1);
  spool.close();
});

Deno.test("who waits for readings that another shard found is told when the store has those", async () => {
  const files = new MemoryFiles();
  const first = await openTestSpool(files);
  const readings = async (...ids: string[]) => {
    for (const id of ids) {
      first.spool.group.lines.appendText(`${id}\n`);
      first.spool.group.add({ id, groupNo: 0, slot: 0 }, 1, 1);
    }
    await commitOnce(first.spool);
  };
  const ids = Array.from({ length: 8 }, (_, i) => `RPi_${i}`);
  await readings(...ids);
  await readings("RPi_x");

  // Written by one shard, found by the first of two.
  const memory = owedElsewhereMemory(2);
  const [here, there] = [0, 1].map((shard) => new OwedElsewhere(memory, shard, 2));
  const { spool } = await openTestSpool(files.crashed(), { owedElsewhere: here! });
  const other = await openTestSpool(new MemoryFiles(), { owedElsewhere: there! });
  const told: string[] = [];
  const theirs = ids.filter((id) => there!.has(id));
  assert.ok(theirs.length > 0 && theirs.length < ids.length, "of both");
  for (const id of theirs) {
    assert.equal(other.spool.recoveredStored(id, { complete: () => told.push(id) }), true);
  }
  assert.equal(other.spool.recoveredStored("unknown", { complete() {} }), false);
  const [one, last] = await spool.read(1_000_000);
  spool.delivered(last!);
  other.spool.sweep();
  assert.deepEqual(told, []);
  spool.delivered(one!);
  other.spool.sweep();
  assert.deepEqual(told, theirs);
  assert.equal(other.spool.recoveredStored(theirs[0]!, { complete() {} }), false);
  spool.close();
  other.spool.close();
});

Deno.test("what an incarnation before owed of others' devices does not keep anybody waiting for ever", async () => {
  const memory = owedElsewhereMemory(2);
  const ids = Array.from({ length: 8 }, (_, i) => `RPi_${i}`);
  const owed = new OwedElsewhere(memory, 0, 2);
  assert.ok(ids.some((id) => owed.found(id)));
  const { spool } = await openTestSpool(new MemoryFiles(), { owedElsewhere: owed });
  assert.ok(!ids.some((id) => owed.has(id)));
  spool.close();
});
