import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { Actor } from "./actor.ts";
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

Deno.test("an idle keyed actor costs at most 600 bytes", async () => {
  const count = 20_000;
  const test = new TestSystem();
  const keys = Array.from({ length: count }, (_, i) => `device-${i}`);
  const keyed = test.spawnKeyed<number>({ id: "devices", start: () => new Idle() });
  const perActor = (start: () => void) => {
    collectGarbage();
    const before = v8.getHeapStatistics().used_heap_size;
    start();
    test.run();
    collectGarbage();
    return (v8.getHeapStatistics().used_heap_size - before) / count;
  };
  // The first ones pay for what all share: code, maps, queues.
  for (let i = 0; i < 1_000; i++) keyed.ref(`warm-${i}`).tell(i);
  test.run();
  const bytes = perActor(() => {
    for (const key of keys) keyed.ref(key).tell(1);
  });
  assert.equal(keyed.active, count + 1_000);
  // 500 measured: 310 for cell, mailbox and incarnation, 80 for the handle, 45 in the map of
  // children, 25 for the behaviour.
  assert.ok(bytes <= 600, `${bytes} bytes each`);
  await test.stop();
});
