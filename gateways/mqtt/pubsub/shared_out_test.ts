import assert from "node:assert/strict";
import { parseSharedOut, shareMark } from "./shared_out.ts";

Deno.test("what was written is read; what is damaged is nothing", () => {
  const shares = [["$share/g/a", 1], ['$share/ü"/#', 0]];
  assert.deepEqual(parseSharedOut(JSON.stringify(shares)), shares);
  for (const damaged of [null, undefined, 7, "", "[", "7", '{"a":1}']) {
    assert.deepEqual(parseSharedOut(damaged), []);
  }
  const half = '[["a",1],["b"],[1,1],"c",["d","1"],["e",null]]';
  assert.deepEqual(parseSharedOut(half), [["a", 1]]);
});

Deno.test("marks of shares are short and all different", () => {
  const names = ["$share/g/a", "$share/h/a", `$share/g/${"a".repeat(1_000)}`];
  const marks = new Set(
    ["1.2.3", "1.2.4"].flatMap((mark) => names.map((name) => shareMark(mark, name))),
  );
  assert.equal(marks.size, 6);
  for (const mark of marks) assert.ok(mark.length < 20, mark);
});
