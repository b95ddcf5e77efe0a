import assert from "node:assert/strict";
import { conformancePage, problems, type Specification } from "./page.ts";
import { shownIn } from "./shown_by.ts";
import { notShown } from "./statement.ts";

const text = `
// A word before. Shows 5: 1.0-1,
// 1.0-2; 3.1.1: 2.0-1. And after.
Deno.test("one", () => {});
// Shows nothing of the kind.
Deno.test("two", () => {});
`;

Deno.test("tests say above them what they show", () => {
  const in5 = { version: "5", file: "a_test.ts", title: "one" } as const;
  assert.deepEqual(shownIn("a_test.ts", text), [
    { ...in5, number: "1.0-1" },
    { ...in5, number: "1.0-2" },
    { ...in5, version: "3.1.1", number: "2.0-1" },
  ]);
  assert.throws(
    () => shownIn("a_test.ts", '// Shows 5 1.0-1\nDeno.test("x", () => {});'),
    /cannot read which statements "x" shows/,
  );
});

Deno.test("a statement has a test or a reason, not both, and tests name what exists", () => {
  const specification = (statements: Specification["statements"]): Specification[] => [
    { version: "5", title: "MQTT 5", statements },
  ];
  const shown = shownIn("a_test.ts", text).filter(({ version }) => version === "5");
  const good = specification([["1.0-1", "one"], ["1.0-2", "two"], ["1.0-3", "x", notShown("why")]]);
  assert.deepEqual(problems(good, shown), []);
  assert.match(conformancePage(good, shown), /\| 1\.0-2 \| two \| \[one\]\(\.\.\/a_test\.ts\) \|/);
  assert.match(conformancePage(good, shown), /3 statements: 2 shown by a test, 1 with nothing/);
  assert.deepEqual(
    problems(specification([["1.0-1", "one", notShown("")], ["1.0-9", "nine"]]), shown),
    [
      "[MQTT-1.0-1] of 5: has a test; remove its mark",
      "[MQTT-1.0-9] of 5: no test shows it, and no reason is given",
      "[MQTT-1.0-2] of 5: a test names it in vain",
    ],
  );
});
