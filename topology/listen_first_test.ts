import assert from "node:assert/strict";
import { AskError } from "../runtime/ask.ts";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { listenFirst } from "./listen_first.ts";

function listening(answers: (() => Promise<unknown>)[], wanted = () => true) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const done = listenFirst({
    shard: {
      id: "shard-1",
      ask: ({ kind }) => {
        asked.push(kind);
        return answers.shift()!();
      },
    },
    wanted,
    clock,
  });
  return { clock, asked, done };
}

Deno.test("a Worker that does not answer in time, or is just being started anew, is asked again", async () => {
  const { clock, asked, done } = listening([
    () => Promise.reject(new AskError("timeout", "no answer within 5000 ms")),
    () => Promise.reject(new AskError("stopped", "shard 1 is waiting")),
    () => Promise.resolve(null),
  ]);
  for (let i = 0; i < 2; i++) {
    await eventLoopTurn();
    clock.advance(2_000);
  }
  await done;
  assert.deepEqual([asked.length, clock.pending], [3, 0]);
});

Deno.test("what is in the way of listening ends it, and so does the end of the service", async () => {
  const inUse = new Error("the port is in use");
  await assert.rejects(listening([() => Promise.reject(inUse)]).done, inUse);

  let wanted = true;
  const { clock, asked, done } = listening(
    [() => Promise.reject(new AskError("stopped", "shard 1 is failed"))],
    () => wanted,
  );
  await eventLoopTurn();
  wanted = false;
  clock.advance(2_000);
  await done;
  assert.deepEqual(asked, ["listen"]);
});
