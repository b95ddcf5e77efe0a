import assert from "node:assert/strict";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { keepTrying } from "./keep_trying.ts";

function start(succeedsAt: number, wanted: () => boolean) {
  const clock = new ManualClock();
  const waits: number[] = [];
  const failures: string[] = [];
  let tries = 0;
  const done = keepTrying({
    attempt: () => {
      tries++;
      return tries === succeedsAt ? Promise.resolve() : Promise.reject(new Error(`try ${tries}`));
    },
    wanted,
    failed: (cause) => failures.push(String(cause)),
    clock,
    random: () => 0,
  });
  const pass = async () => {
    await eventLoopTurn();
    const waitMs = (clock.nextDueMs ?? clock.now()) - clock.now();
    if (waitMs > 0) waits.push(waitMs);
    clock.advance(waitMs);
    await eventLoopTurn();
  };
  return { done, pass, waits, failures, clock, tries: () => tries };
}

Deno.test("a Worker that cannot do it yet is asked again, ever less often", async () => {
  const { done, pass, waits, failures, clock, tries } = start(8, () => true);
  for (let i = 0; i < 7; i++) await pass();
  await done;
  assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
  assert.deepEqual([tries(), failures.length, failures[0]], [8, 7, "Error: try 1"]);
  assert.equal(clock.pending, 0);
});

Deno.test("a Worker that is gone, or a service that ends, is not asked again", async () => {
  let wanted = true;
  const { done, pass, failures, tries } = start(Infinity, () => wanted);
  await pass();
  await eventLoopTurn();
  wanted = false;
  await pass();
  await done;
  assert.deepEqual([tries(), failures.length], [2, 2]);
  await start(1, () => false).done;
});
