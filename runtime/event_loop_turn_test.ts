import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { eventLoopTurn } from "./event_loop_turn.ts";

Deno.test("what was to be done before a turn is done after it", async () => {
  const done: string[] = [];
  queueMicrotask(() => done.push("microtask"));
  setImmediate(() => done.push("immediate"));
  await eventLoopTurn();
  assert.deepEqual(done, ["microtask", "immediate"]);
});
