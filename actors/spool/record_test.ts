import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../../runtime/testing/any_text.ts";
import { CommitGroup, type GroupDevice } from "./commit_group.ts";
import { sealGroup, SpoolRecord } from "./record.ts";

Deno.test("a group comes back from its bytes as it was sealed, and is open again", () => {
  const word = fc.nat({ max: 0xffffffff });
  const reading = fc.record({
    device: fc.nat({ max: 9 }),
    line: fc.string(),
    hi: word,
    lo: word,
  });
  const ids = fc.uniqueArray(anyText().map((id) => id.toWellFormed()), {
    minLength: 10,
    maxLength: 10,
  });
  fc.assert(fc.property(fc.array(reading), ids, fc.nat(), (readings, ids, committedMs) => {
    const group = new CommitGroup(1);
    const devices: GroupDevice[] = ids.map((id) => ({ id, groupNo: 0, slot: 0 }));
    for (const { device, line, hi, lo } of readings) {
      group.lines.appendText(line);
      group.add(devices[device]!, hi, lo);
    }
    const sealed = sealGroup(group, committedMs);
    assert.equal(group.empty, true);
    const read = new SpoolRecord(sealed.frame.slice(), readings.length);
    for (const record of [sealed, read]) {
      assert.equal(record.committedMs, committedMs);
      assert.equal(record.count, readings.length);
      assert.deepEqual([...record.fingerprintHi], readings.map(({ hi }) => hi));
      assert.deepEqual([...record.fingerprintLo], readings.map(({ lo }) => lo));
      const named = [...record.deviceOf].map((slot) => record.devices[slot]);
      assert.deepEqual(named, readings.map(({ device }) => ids[device]));
      let start = 0;
      const lines = [...record.lineEnds].map((end) => record.lines.slice(start, start = end));
      assert.deepEqual(lines, readings.map(({ line }) => new TextEncoder().encode(line)));
    }
  }));
});

Deno.test("a body whose parts do not fit is refused", () => {
  const group = new CommitGroup();
  group.add({ id: "a", groupNo: 0, slot: 0 }, 0, 0);
  const { frame } = sealGroup(group, 0);
  assert.throws(() => new SpoolRecord(frame, 1_000), RangeError);
});
