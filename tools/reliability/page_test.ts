import assert from "node:assert/strict";
import { type Fault, transports } from "./faults.ts";
import { faultProblems, reliabilityPage } from "./page.ts";

const good: Fault = {
  what: "a fault",
  over: transports,
  tests: [["a_test.ts", "at ${n} moments"]],
};
const files: Readonly<Record<string, string>> = {
  "a_test.ts": "testWith([], `at ${n} moments`, () => startFleet(sluice));",
  "b_test.ts": 'Deno.test("b", () => startLoad(sluice));',
};
const problemsOf = (fault: Fault) => faultProblems([fault], (file) => files[file]);

Deno.test("the table names tests that exist, with load over the transports that it says", () => {
  assert.deepEqual(problemsOf(good), []);
  assert.match(reliabilityPage([good]), /\| a fault \| ● \| ● \| ● \| ● \| \[at … moments\]\(/);
  const wrong: [changes: Partial<Fault>, problem: RegExp][] = [
    [{ tests: [] }, /no test shows it/],
    [{ tests: [["a_test.ts", "no such"]] }, /no test "no such" in tests\/a_test\.ts/],
    [{ tests: [["c_test.ts", "c"]] }, /no test "c"/],
    [{ tests: [["b_test.ts", "b"]] }, /no load over all transports/],
    [{ over: ["HTTP"] }, /no reason is given/],
  ];
  for (const [changes, problem] of wrong) {
    const problems = problemsOf({ ...good, ...changes });
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
  }
  assert.deepEqual(problemsOf({ ...good, over: ["HTTP"], why: "because" }), []);
});
