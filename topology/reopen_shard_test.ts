import assert from "node:assert/strict";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { reopenShard } from "./reopen_shard.ts";
import type { ShardQuestion } from "./shard_protocol.ts";

/** A shard that does not answer the first times; gives what was asked and told. */
function start(silent: number, state = { current: true, listening: true }) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const told: number[] = [];
  const done = reopenShard({
    shard: {
      id: "shard-1",
      ask: ({ kind }: ShardQuestion) => {
        asked.push(kind);
        if (asked.length <= silent) return Promise.reject(new Error("no answer within 5000 ms"));
        return Promise.resolve(kind === "recovered" ? 7 : null);
      },
      books: { reopened: (recovered) => told.push(recovered) },
    },
    current: () => state.current,
    listening: () => state.listening,
    clock,
  });
  const pass = async () => {
    await eventLoopTurn();
    clock.advance(5_000);
    await eventLoopTurn();
  };
  return { done, pass, asked, told, clock };
}

Deno.test("a shard that does not answer at once is asked again: its books go on, and it listens", async () => {
  const { done, pass, asked, told, clock } = start(2);
  await pass();
  await pass();
  await done;
  assert.deepEqual(asked, ["recovered", "recovered", "recovered", "listen"]);
  assert.deepEqual(told, [7]);
  assert.equal(clock.pending, 0);
});

Deno.test("at the first start it is not told to listen by itself", async () => {
  const { done, asked, told } = start(0, { current: true, listening: false });
  await done;
  assert.deepEqual([asked, told], [["recovered"], [7]]);
});

Deno.test("one that died meanwhile is left to its successor", async () => {
  const state = { current: true, listening: true };
  const { done, pass, asked, told } = start(1, state);
  await eventLoopTurn();
  state.current = false;
  await pass();
  await done;
  assert.deepEqual([asked, told], [["recovered"], []]);
});
