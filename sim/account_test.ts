import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AccountPlan,
  AccountWriter,
  AcknowledgedRuns,
  parseAccount,
  readAccount,
} from "./account.ts";

const plan: AccountPlan = {
  kind: "plan",
  version: 1,
  model: "bench",
  topic: "bench/d{n}",
  devices: 3,
  qos: 1,
  seed: 1,
  beganMs: 1_700_000_000_000,
  startMs: 1_700_000_000_000,
  stepMs: 5,
  poisonEvery: 0,
};
const planLine = JSON.stringify(plan);

Deno.test("account: what was added comes back as runs, once", () => {
  const adds = fc.array(fc.tuple(fc.nat(2), fc.nat(20), fc.boolean()));
  fc.assert(fc.property(adds, (steps) => {
    const runs = new AcknowledgedRuns(3);
    const added = [new Set<number>(), new Set<number>(), new Set<number>()];
    const lines = [planLine];
    const save = () => lines.push(JSON.stringify({ kind: "acknowledged", runs: runs.take() }));
    for (const [device, counter, saved] of steps) {
      runs.add(device, counter);
      added[device]!.add(counter);
      if (saved) save();
    }
    save();
    assert.deepEqual(runs.take(), []);
    const account = parseAccount([...lines, ""]);
    assert.deepEqual(
      account.acknowledged.map((ranges) => ranges.size),
      added.map((set) => set.size),
    );
  }));
});

Deno.test("account: counters that go up are one run between two lines", () => {
  const runs = new AcknowledgedRuns(2);
  for (let counter = 0; counter < 10; counter++) runs.add(1, counter);
  assert.deepEqual(runs.take(), [[1, 0, 10]]);
  runs.add(1, 10);
  runs.add(1, 12);
  assert.deepEqual(runs.take(), [[1, 10, 11], [1, 12, 13]]);
});

Deno.test("account: a file that is cut off at any byte gives what was whole", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/new/account.jsonl`;
    const writer = await AccountWriter.create(path, plan);
    await writer.acknowledged([[0, 0, 5]]);
    await writer.acknowledged([]);
    await writer.acknowledged([[2, 7, 9]]);
    await writer.end(1_700_000_001_000, [5, 0, 9]);
    const account = await readAccount(path);
    assert.deepEqual(account.plan, plan);
    assert.deepEqual(account.acknowledged.map(({ ranges }) => ranges), [
      [{ from: 0, to: 5 }],
      [],
      [{ from: 7, to: 9 }],
    ]);
    assert.deepEqual(account.end?.sent, [5, 0, 9]);
    const text = await Deno.readTextFile(path);
    let last = 0;
    for (let at = text.indexOf("\n") + 1; at <= text.length; at++) {
      const cut = parseAccount(text.slice(0, at).split("\n"));
      const size = cut.acknowledged.reduce((sum, ranges) => sum + ranges.size, 0);
      assert.ok(size >= last);
      last = size;
      assert.equal(cut.end !== undefined, at === text.length);
    }
    assert.equal(last, 7);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("account: what is not an account is refused with the line", () => {
  const cases: readonly (readonly [lines: readonly string[], message: RegExp])[] = [
    [[""], /line 1 is not JSON/],
    [["[]", ""], /line 1 is of no known form/],
    [['{"kind":"end","endedMs":1,"sent":[]}', ""], /line 1 is not the plan/],
    [[planLine.replace('"qos":1', '"qos":3'), ""], /line 1 is of no known form/],
    [[planLine.replace("bench", "bank"), ""], /line 1 is of no known form/],
    [[planLine, planLine, ""], /line 2 is a second plan/],
    [[planLine, '{"kind":"acknowledged","runs":[[3,0,1]]}', ""], /line 2 has device 3 of 3/],
    [[planLine, '{"kind":"acknowledged","runs":[[0,-1,1]]}', ""], /line 2 is of no known form/],
    [[planLine, '{"kind":"acknowledged","runs":[[0,1]]}', ""], /line 2 is of no known form/],
    [[planLine, '{"kind":"end","endedMs":1,"sent":[1]}', ""], /ends with 1 devices of 3/],
  ];
  for (const [lines, message] of cases) {
    assert.throws(() => parseAccount(lines), { name: "SyntaxError", message });
  }
});
