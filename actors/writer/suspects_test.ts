import assert from "node:assert/strict";
import { Suspects } from "./suspects.ts";
import { recordOf, textOf } from "./testing/records.ts";

Deno.test("readings of a device that was refused are parted from the others for a minute", () => {
  const suspects = new Suspects();
  const record = recordOf([["a:1"], ["b:1"], ["b:2"], ["a:2"], ["b:3"]]);
  assert.deepEqual(suspects.part(record, 0).good.map(({ count }) => count), [5]);
  suspects.add("b", 0);
  const { good, suspect } = suspects.part(record, 59_999);
  assert.equal(textOf(good), "a:1\na:2\n");
  assert.equal(textOf(suspect), "b:1\nb:2\nb:3\n");
  assert.equal(suspects.part(record, 60_000).suspect.length, 0);
  assert.equal(suspects.count, 0);
});

Deno.test("it remembers a bounded number of devices, the last ones", () => {
  const suspects = new Suspects();
  for (let i = 0; i < 5_000; i++) suspects.add(`d${i}`, 0);
  assert.equal(suspects.count, 1_000);
  assert.equal(suspects.part(recordOf([["d4999:1"]]), 1).good.length, 0);
});
