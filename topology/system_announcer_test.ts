import assert from "node:assert/strict";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import type { ShardQuestion } from "./shard_protocol.ts";
import { SystemAnnouncer } from "./system_announcer.ts";

const intervalMs = 10_000;

/** An announcer for shards that answer as they are told. */
function start(
  answers: readonly (() => Promise<unknown>)[],
  { everyMs = intervalMs, snapshot = () => Promise.resolve<readonly ShardSnapshot[]>([]) } = {},
) {
  const clock = new ManualClock();
  const uptimes: (string | undefined)[][] = answers.map(() => []);
  const deadlines: (number | undefined)[] = [];
  const announcer = new SystemAnnouncer({
    intervalMs: everyMs,
    clock,
    service: { version: "1.2.3", startedMs: clock.now() },
    snapshot,
    shards: answers.map((answer, shard) => ({
      ask: (question: ShardQuestion, deadlineMs?: number) => {
        assert(question.kind === "announce");
        uptimes[shard]!.push(question.values["$SYS/broker/uptime"]);
        deadlines.push(deadlineMs);
        return answer();
      },
    })),
  });
  announcer.start();
  const pass = async (ms: number) => {
    clock.advance(ms);
    await eventLoopTurn();
  };
  return { announcer, clock, uptimes, deadlines, pass };
}

const answers = () => Promise.resolve(null);

Deno.test("every shard is told at once, and again after each interval", async () => {
  const { uptimes, deadlines, pass } = start([answers, answers]);
  await pass(0);
  assert.deepEqual(uptimes, [["0 seconds"], ["0 seconds"]]);
  await pass(intervalMs - 1);
  assert.equal(uptimes[0]!.length, 1);
  await pass(1);
  assert.deepEqual(uptimes, [["0 seconds", "10 seconds"], ["0 seconds", "10 seconds"]]);
  assert.deepEqual(new Set(deadlines), new Set([intervalMs]), "none is waited for any longer");
});

Deno.test("a shard that does not answer costs the others nothing, and hears of it the next time", async () => {
  const { uptimes, pass } = start([() => Promise.reject(new Error("stopped")), answers]);
  await pass(0);
  await pass(intervalMs);
  assert.deepEqual(uptimes.map(({ length }) => length), [2, 2]);
});

Deno.test("the next time is counted from the answers: announcements never pile up", async () => {
  const held = Promise.withResolvers<unknown>();
  const { uptimes, pass, clock } = start([() => held.promise]);
  await pass(0);
  await pass(3 * intervalMs);
  assert.equal(uptimes[0]!.length, 1);
  assert.equal(clock.pending, 0);
  held.resolve(null);
  await eventLoopTurn();
  await pass(intervalMs);
  assert.equal(uptimes[0]!.length, 2);
});

Deno.test("after the stop nothing is told, whatever was on its way", async () => {
  const held = Promise.withResolvers<readonly ShardSnapshot[]>();
  const { announcer, clock, pass } = start([answers], { snapshot: () => held.promise });
  await pass(0);
  announcer.stop();
  held.resolve([]);
  await eventLoopTurn();
  assert.equal(clock.pending, 0);

  const waiting = start([answers]);
  await waiting.pass(0);
  assert.equal(waiting.clock.pending, 1);
  waiting.announcer.stop();
  assert.equal(waiting.clock.pending, 0);
});

Deno.test("an interval of 0 turns it off", () => {
  assert.equal(start([answers], { everyMs: 0 }).clock.pending, 0);
});
