import assert from "node:assert/strict";
import { startLog } from "../gateways/log/log.ts";
import type { ShardQuestion } from "./shard_protocol.ts";
import { shutDown } from "./shutdown.ts";

const deadlines = { drainMs: 10_000, flushMs: 5_000, closeMs: 3_000 };

/** The end of shards that answer, do not in time (`late`), or are lost. */
async function end(
  shards: readonly { state?: string; late?: ShardQuestion["kind"]; left?: boolean }[],
  { lost = false, killed = [] as string[] } = {},
) {
  const steps: string[] = [];
  const late = await shutDown({
    deadlines,
    lost,
    takers: shards.map(({ state = "ready", late, left = false }, shard) => ({
      id: `shard-${shard}`,
      state,
      ask: async (question, deadlineMs) => {
        steps.push(`${question.kind} ${shard} ${deadlineMs}`);
        await Promise.resolve();
        if (question.kind === late) throw new Error("no answer");
        steps.push(`${question.kind} ${shard} done`);
        return question.kind === "flush" ? !left : null;
      },
    })),
    close: (deadlineMs) => {
      steps.push(`close ${deadlineMs}`);
      return Promise.resolve(killed);
    },
  });
  return { steps, late };
}

Deno.test("all drain at once, then all flush, then the Workers end", async () => {
  const { steps, late } = await end([{}, {}]);
  assert.deepEqual(late, []);
  assert.deepEqual(steps, [
    "drain 0 10000",
    "drain 1 10000",
    "drain 0 done",
    "drain 1 done",
    "flush 0 5500",
    "flush 1 5500",
    "flush 0 done",
    "flush 1 done",
    "close 3000",
  ]);
});

Deno.test("what drains or closes late is named; what the store does not take is no failure", async () => {
  const { steps, late } = await end([{ late: "drain" }, { late: "flush" }, {}], {
    killed: ["store"],
  });
  assert.deepEqual(late, ["drain of shard-0", "store"]);
  assert(steps.includes("flush 0 5500"), "one that was late goes on with the rest");
  assert.equal(steps.at(-1), "close 3000");
});

Deno.test("one that failed is not asked, and what it owes is not waited for", async () => {
  const { steps, late } = await end([{ state: "failed" }, {}], { lost: true });
  assert.deepEqual(late, []);
  assert.deepEqual(steps.filter((step) => / [0-9] \d/.test(step)), [
    "drain 1 1000",
    "flush 1 5500",
  ]);
});

Deno.test("what the store has not taken is told of", async () => {
  let told = "";
  const log = startLog({ level: "warning", format: "text", write: (text) => told += text });
  try {
    assert.deepEqual((await end([{}, {}])).late, []);
    assert.equal(told, "");
    assert.deepEqual((await end([{}, { left: true }])).late, []);
  } finally {
    log.close();
  }
  assert.match(told, /^\S+ WARNING service: the store has not taken all; .* workers=shard-1\n$/);
});
