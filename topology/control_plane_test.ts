import assert from "node:assert/strict";
import type { Release } from "../gateways/http/control.ts";
import { AskError } from "../runtime/ask.ts";
import { CodeSuspects } from "./code_suspects.ts";
import { ControlPlane, type HistoryStore, type ShardHandle, workerNode } from "./control_plane.ts";
import { ShardBooks } from "./shard_books.ts";

const history: HistoryStore = {
  readings: () => Promise.reject(new Error("there is no history here")),
  notReady: () => [],
  counters: () => ({}),
  view: undefined,
};

interface Shard extends ShardHandle {
  readonly suspects: CodeSuspects;
}

/** A shard that answers `answer`, or not at all, and that knows the device "x" as guilty. */
const shardThat = (answer: Release | undefined, shard: number): Shard => ({
  shard,
  books: new ShardBooks(),
  suspects: new CodeSuspects({ x: 2 }),
  state: "ready",
  view: workerNode(`shard-${shard}`, "shard", "running", 0),
  ask: () =>
    answer === undefined
      ? Promise.reject(new AskError("stopped", `shard ${shard} is restarting`))
      : Promise.resolve(answer),
});

function control(...answers: readonly (Release | undefined)[]) {
  const shards = answers.map(shardThat);
  const books = { version: "1", gateway: "g", startedMs: 0, store: "none" };
  const info = { ...books, endpoints: [], accountsRequired: false };
  return { shards, plane: new ControlPlane(info, shards, history) };
}

Deno.test("a release counts for all incarnations of all shards", async () => {
  const { plane, shards } = control("unknown", "released");
  assert.equal(await plane.release("x"), "released");
  assert.deepEqual(shards.map(({ suspects }) => suspects.list), [[], []]);
  const refused = control("unknown", "not_quarantined");
  assert.equal(await refused.plane.release("x"), "not_quarantined");
  assert.deepEqual(refused.shards[0]?.suspects.list, ["x"]);
});

Deno.test("a shard that is down hides neither a release nor its own devices", async () => {
  for (const answer of ["released", "not_quarantined"] as const) {
    assert.equal(await control(undefined, answer).plane.release("x"), answer);
  }
  assert.equal(await control("unknown", "unknown").plane.release("x"), "unknown");
  await assert.rejects(control("unknown", undefined).plane.release("x"), AskError);
});
