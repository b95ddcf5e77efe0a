import assert from "node:assert/strict";
import { AskError } from "../runtime/ask.ts";
import { HostedShard } from "./shard_handle.ts";

Deno.test("a question to a shard that is down has no answer, as one that comes too late", async () => {
  const shard = new HostedShard(1, "shard-1", () => undefined, () => undefined);
  // The HTTP edge answers that with 503 and Retry-After.
  await assert.rejects(shard.ask({ kind: "recovered" }), AskError);
  await assert.rejects(shard.ask({ kind: "recovered" }), /shard 1 is not started/);
});
