import assert from "node:assert/strict";
import { CommitGroup, type GroupDevice } from "./commit_group.ts";

function device(id: string): GroupDevice {
  return { id, groupNo: 0, slot: 0 };
}

Deno.test("a reading owns the lines appended since the last one", () => {
  const group = new CommitGroup();
  const [a, b] = [device("a"), device("b")];
  group.lines.appendText("m v=1\nm v=2\n");
  group.add(a, 1, 2);
  group.lines.appendText("m v=3\n");
  group.add(b, 3, 4);
  group.add(a, 5, 6); // a reading without points is a reading
  assert.deepEqual([...group.lineEnds.subarray(0, 3)], [12, 18, 18]);
  assert.deepEqual([...group.deviceOf.subarray(0, 3)], [0, 1, 0]);
  assert.deepEqual([...group.fingerprintHi.subarray(0, 3)], [1, 3, 5]);
  assert.deepEqual([...group.fingerprintLo.subarray(0, 3)], [2, 4, 6]);
  assert.deepEqual(group.devices, ["a", "b"]);
});

Deno.test("rollback takes back only what was not added", () => {
  const group = new CommitGroup();
  group.lines.appendText("kept\n");
  group.add(device("a"), 0, 0);
  group.lines.appendText("half a li");
  group.rollback();
  assert.equal(group.lines.length, 5);
  group.rollback();
  assert.equal(group.lines.length, 5);
});

Deno.test("a reset gives devices new slots and lets go of the completions", () => {
  const group = new CommitGroup();
  const [a, b] = [device("a"), device("b")];
  group.add(a, 0, 0);
  group.add(b, 0, 0);
  const { durable, devices } = group;
  durable.push({ complete() {} });
  assert.equal(group.empty, false);
  group.reset();
  assert.equal(group.empty, true);
  group.add(b, 0, 0);
  assert.equal(group.deviceOf[0], 0);
  assert.deepEqual(group.devices, ["b"]);
  assert.deepEqual(devices, ["a", "b"]);
  assert.equal(durable.length, 1);
});

Deno.test("a group grows past its capacity", () => {
  const group = new CommitGroup(2);
  const key = device("a");
  for (let i = 0; i < 9; i++) {
    group.lines.push(10);
    group.add(key, i, i * 2);
  }
  assert.deepEqual([...group.lineEnds.subarray(0, 9)], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([...group.fingerprintLo.subarray(0, 9)], [0, 2, 4, 6, 8, 10, 12, 14, 16]);
});

Deno.test("someone who waits makes a group without readings worth a commit", () => {
  const group = new CommitGroup();
  assert.equal(group.empty, true);
  group.stored.push({ complete() {} });
  assert.equal(group.empty, false);
});
