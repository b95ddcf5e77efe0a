import assert from "node:assert/strict";
import { BusyError, Turns } from "./turns.ts";

Deno.test("costly work is bounded", async () => {
  const turns = new Turns(2, 1);
  const gate = Promise.withResolvers<void>();
  const waiting = [1, 2, 3].map(() => turns.run(() => gate.promise));
  await assert.rejects(turns.run(() => Promise.resolve()), BusyError);
  gate.resolve();
  await Promise.all(waiting);
  assert.equal(await turns.run(() => Promise.resolve(5)), 5);
});
