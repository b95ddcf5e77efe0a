import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { type StartWait, WorkerStart } from "./worker_start.ts";

function started() {
  const clock = new ManualClock();
  const late: string[] = [];
  const slow: StartWait[] = [];
  const start = new WorkerStart({
    clock,
    loadMs: 30_000,
    readyMs: 100_000,
    slowMs: 5_000,
    slow: (wait) => slow.push(wait),
    late: (why) => late.push(why),
  });
  return { clock, start, late, slow };
}

Deno.test("a start that takes long is told of with the stage that it is in", () => {
  const { clock, start, slow, late } = started();
  clock.advance(4_000);
  start.loaded();
  clock.advance(2_000);
  start.enter("its spool is read");
  clock.advance(4_000);
  assert.deepEqual(slow, [
    { stage: "its program begins", stageMs: 1_000, ms: 5_000 },
    { stage: "its spool is read", stageMs: 4_000, ms: 10_000 },
  ]);
  start.clear();
  clock.advance(1_000_000);
  assert.deepEqual([slow.length, late, clock.pending], [2, [], 0]);
});

Deno.test("code that is not loaded in time is late, and so is what is never ready", () => {
  const unloaded = started();
  unloaded.clock.advance(30_000);
  assert.deepEqual(unloaded.late, ["had not loaded its code after 30000 ms"]);
  unloaded.start.clear();
  assert.equal(unloaded.clock.pending, 0);

  const { clock, start, late } = started();
  start.loaded();
  start.enter("its spool is read");
  clock.advance(100_000);
  assert.deepEqual(late, ["was not ready within 100000 ms: its spool is read"]);
  start.clear();
  assert.equal(clock.pending, 0);
});
