import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { Actor, ActorRef } from "./actor.ts";
import { TestSystem } from "./testing/test_system.ts";

/** Collects garbage, so that what is measured is what is kept. */
function collectGarbage(): void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  assert.ok(typeof collect === "function");
  collect();
}

class Idle implements Actor<number> {
  receive(): void {}
}

Deno.test("an idle keyed actor costs at most 600 bytes, a passivated one at most 120", async () => {
  const count = 20_000;
  const test = new TestSystem();
  const keys = Array.from({ length: count }, (_, i) => `device-${i}`);
  const keyed = test.spawnKeyed<number>({
    id: "devices",
    idleMs: 1_000,
    start: () => new Idle(),
  });
  const refs: ActorRef<number>[] = new Array(count).fill(keyed.ref("first"));
  const used = () => {
    collectGarbage();
    return v8.getHeapStatistics().used_heap_size;
  };
  // The first ones pay for what all share: code, maps, queues.
  for (let i = 0; i < 1_000; i++) keyed.ref(`warm-${i}`).tell(i);
  test.run();
  const before = used();
  for (const [i, key] of keys.entries()) {
    const ref = keyed.ref(key);
    ref.tell(1);
    refs[i] = ref;
  }
  test.run();
  assert.equal(keyed.active, count + 1_000);
  // 500 measured: 310 for cell, mailbox and incarnation, 80 for the handle, 45 in the map of
  // children, 25 for the behaviour.
  const active = (used() - before) / count;
  assert.ok(active <= 600, `${active} bytes each`);
  test.advance(3_000);
  assert.equal(keyed.active, 0);
  // 80 measured: the handle.
  const passivated = (used() - before) / count;
  assert.ok(passivated <= 120, `${passivated} bytes each`);
  assert.equal(refs[7]?.tell(1), "accepted");
  await test.stop();
});
