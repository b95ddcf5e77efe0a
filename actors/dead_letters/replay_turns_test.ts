import assert from "node:assert/strict";
import { ReplayTurns } from "./replay_turns.ts";

Deno.test("the same replay, asked for again, is the one under way; another one waits for it", async () => {
  const turns = new ReplayTurns();
  const begun: string[] = [];
  const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const run = (name: string, end: Promise<number>) => () => {
    begun.push(name);
    return end;
  };
  const a = turns.take({}, run("a", first.promise));
  const again = turns.take({}, () => assert.fail("begun twice"));
  const b = turns.take({ ids: ["1-0"] }, run("b", second.promise));
  const bAgain = turns.take({ ids: ["1-0"] }, () => assert.fail("begun twice"));
  assert.deepEqual(begun, ["a"]);
  first.resolve(7);
  assert.deepEqual(await Promise.all([a, again]), [7, 7]);
  assert.deepEqual(begun, ["a", "b"]);
  second.resolve(1);
  assert.deepEqual(await Promise.all([b, bAgain]), [1, 1]);
  assert.equal(await turns.take({}, () => Promise.resolve(3)), 3); // Anew.
});

Deno.test("one that fails is told, and holds up nobody behind it", async () => {
  const turns = new ReplayTurns();
  const failing = turns.take({}, () => Promise.reject(new Error("the disk fails")))!;
  const next = turns.take({ reason: "x" }, () => Promise.resolve(2));
  await assert.rejects(failing, /the disk fails/);
  assert.equal(await next, 2);
});

Deno.test("no more than a few wait", async () => {
  const turns = new ReplayTurns();
  const gate = Promise.withResolvers<number>();
  const taken = Array.from(
    { length: 9 },
    (_, i) => turns.take({ ids: [`1-${i}`] }, () => gate.promise),
  );
  assert.equal(taken.filter((turn) => turn !== undefined).length, 5);
  gate.resolve(1);
  await Promise.all(taken);
  assert.equal(await turns.take({ ids: ["1-8"] }, () => Promise.resolve(1)), 1);
});
