import assert from "node:assert/strict";
import { Gate } from "./gate.ts";

Deno.test("gate: never more at once than allowed, all in the end, failures too", async () => {
  const gate = new Gate(2);
  const release: (() => void)[] = [];
  let running = 0, most = 0, done = 0;
  const tasks = Array.from({ length: 5 }, (_, i) =>
    gate.run(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => release.push(resolve));
      running--;
      done++;
      if (i === 1) throw new Error("failed");
    }));
  const results = Promise.allSettled(tasks);
  for (let i = 0; i < 5; i++) {
    while (release.length === 0) await Promise.resolve();
    release.shift()!();
  }
  assert.equal((await results).filter(({ status }) => status === "rejected").length, 1);
  assert.equal(most, 2);
  assert.equal(done, 5);
});
