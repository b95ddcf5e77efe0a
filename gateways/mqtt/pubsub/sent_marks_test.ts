import assert from "node:assert/strict";
import { SentMarks } from "./sent_marks.ts";

Deno.test("a mark is news once, whoever sends it, also when its shard has died since", () => {
  const marks = new SentMarks(3, 7 * 80 * 100);
  assert.deepEqual([marks.add(0, "a"), marks.add(0, "a"), marks.add(1, "a")], [true, false, false]);
  marks.lost(0);
  marks.lost(0);
  assert.equal(marks.add(1, "a"), false);
  assert.equal(marks.add(0, "b"), true);
});

Deno.test("marks are bounded: the oldest of a shard go first, those of one that died stay", () => {
  const marks = new SentMarks(3, 7 * 80 * 100);
  marks.add(0, "of one that dies");
  marks.lost(0);
  for (let i = 0; i < 150; i++) assert.equal(marks.add(1, `${i}`), true);
  assert.equal(marks.add(2, "of one that dies"), false);
  assert.equal(marks.add(2, "149"), false);
  assert.equal(marks.add(2, "0"), true, "forgotten");
  for (let shard = 1; shard < 6; shard++) {
    marks.add(shard, `of ${shard}`);
    marks.lost(shard);
  }
  assert.equal(marks.add(0, "of one that dies"), true, "forgotten with so many");
});
