import fc from "fast-check";
import assert from "node:assert/strict";
import { jsonFault } from "./json_fault.ts";

for (
  const [text, fault] of [
    ["", "it is empty"],
    [" \n", "it is empty"],
    ["{", "line 1 column 2: a closing } is expected"],
    ['{"name":\n"x",,}', "line 2 column 5: a name in double quotes is expected"],
    ["{'a':1}", "line 1 column 2: no JSON value begins like this"],
    ["{\n  a: 1\n}", "line 2 column 3: no JSON value begins like this"],
    ['{"a" 1}', "line 1 column 6: a colon is expected"],
    ['{"a": 1 "b": 2}', "line 1 column 9: a comma is expected"],
    ["[1,]", "line 1 column 4: a value is expected"],
    ["[1", "line 1 column 3: a closing ] is expected"],
    ["1 2", "line 1 column 3: the value has ended, and something follows"],
    ['{"a": 1} // b', "line 1 column 10: JSON has no comments"],
    ['{"a": "b}', "line 1 column 7: a string does not end"],
    ['"\\x"', "line 1 column 1: a string has no such escape"],
    ['{"a": NaN}', "line 1 column 7: no JSON value begins like this"],
    ["[".repeat(1e6), "it is nested too deeply"],
  ] as const
) {
  Deno.test(`the fault of ${JSON.stringify(text.slice(0, 20))}`, () => {
    assert.throws(() => JSON.parse(text), SyntaxError);
    assert.equal(jsonFault(text), fault);
  });
}

Deno.test("a value cut short has a fault, and no part of it is repeated", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
      fc.nat(),
      (value, cut) => {
        const text = JSON.stringify(value, undefined, 1);
        const short = text.slice(0, cut % (text.length - 1) + 1).trimEnd();
        assert.match(jsonFault(short), /^line \d+ column \d+: [a-z\\]/);
      },
    ),
    { seed: 1 },
  );
});
