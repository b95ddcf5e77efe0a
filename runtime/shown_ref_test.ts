import assert from "node:assert/strict";
import type { ActorRef } from "./actor.ts";
import { TestSystem } from "./testing/test_system.ts";

Deno.test("refs are shown by their address, whatever kind they are of", async () => {
  const test = new TestSystem();
  const shown: string[] = [];
  const ref = test.spawn<ActorRef<string>>({
    id: "a",
    start: () => ({
      receive(replyTo) {
        shown.push(Deno.inspect({ replyTo }));
        replyTo.tell("seen");
      },
    }),
  });
  const key = test.spawnKeyed<string>({ id: "k", start: () => ({ receive() {} }) }).ref("x");
  const asked = test.system.ask<ActorRef<string>, string>(ref, (replyTo) => replyTo, 100);
  test.run();
  await asked;
  shown.push(Deno.inspect(ref), Deno.inspect(key));
  assert.deepEqual(shown, [
    "{ replyTo: ActorRef(test/a?reply) }",
    "ActorRef(test/a)",
    "ActorRef(test/k/x)",
  ]);
  await test.stop();
});
