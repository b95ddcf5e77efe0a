import assert from "node:assert/strict";
import { replayPauseMs } from "./pacing.ts";

Deno.test("a replay takes all of an idle store, half of a busy one, little of one behind", () => {
  assert.equal(replayPauseMs(100, 0, false), 0);
  assert.equal(replayPauseMs(100, 0.01, true), 100);
  assert.equal(replayPauseMs(100, 0.5, true), 400);
  assert.equal(replayPauseMs(60_000, 0.5, true), 2_000);
});
