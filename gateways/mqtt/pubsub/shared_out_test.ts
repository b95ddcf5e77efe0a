import assert from "node:assert/strict";
import { parseSharedOut, shareMark } from "./shared_out.ts";

Deno.test("what was written is read; what is damaged is nothing", () => {
  const shares = [["$share/g/a", 1, 0], ['$share/ü"/#', 0, 3]];
  assert.deepEqual(parseSharedOut(JSON.stringify(shares)), shares);
  for (const damaged of [null, undefined, 7, "", "[", "7", '{"a":1}']) {
    assert.deepEqual(parseSharedOut(damaged), []);
  }
  // An earlier Sluice knew no turns.
  const half = '[["a",1],["b"],[1,1],"c",["d","1"],["e",null],["f",2,"x"]]';
  assert.deepEqual(parseSharedOut(half), [["a", 1, 0], ["f", 2, 0]]);
});

Deno.test("marks of shares are short and all different", () => {
  const names = ["$share/g/a", "$share/h/a", `$share/g/${"a".repeat(1_000)}`];
  const marks = new Set(
    ["1.9.2.3", "1.9.2.4"].flatMap((mark) =>
      names.flatMap((name) => [0, 1, 2].map((turn) => shareMark(mark, { name, turn })))
    ),
  );
  assert.equal(marks.size, 18);
  for (const mark of marks) assert.ok(mark.length < 22, mark);
});
