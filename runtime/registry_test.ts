import assert from "node:assert/strict";
import { TestSystem } from "./testing/test_system.ts";

const quiet = { start: () => ({ receive() {} }) };

Deno.test("a name leads to its actor until that ends", async () => {
  const test = new TestSystem();
  const { registry } = test.system;
  const ref = test.spawn<string>({ id: "a", ...quiet });
  registry.register("spool", ref);
  registry.register("also", ref);
  assert.equal(registry.lookup("spool"), ref);
  assert.deepEqual(registry.names(), ["spool", "also"]);
  registry.unregister("also");
  test.system.stopActor(ref);
  test.run();
  assert.equal(registry.lookup("spool"), undefined);
  assert.deepEqual(registry.names(), []);
  await test.stop();
});

Deno.test("a name that is taken is refused, and free again after unregister", async () => {
  const test = new TestSystem();
  const { registry } = test.system;
  const [a, b] = ["a", "b"].map((id) => test.spawn<string>({ id, ...quiet }));
  registry.register("one", a!);
  assert.throws(() => registry.register("one", b!), /test\/a has that name/);
  registry.unregister("one");
  registry.unregister("never");
  registry.register("one", b!);
  test.system.stopActor(a!);
  test.run();
  assert.equal(registry.lookup("one"), b);
  await test.stop();
});

Deno.test("the actor that already ended cannot hold a name", async () => {
  const test = new TestSystem();
  const ref = test.spawn<string>({ id: "a", ...quiet });
  test.system.stopActor(ref);
  test.run();
  test.system.registry.register("late", ref);
  assert.equal(test.system.registry.lookup("late"), undefined);
  await test.stop();
});

Deno.test("a key keeps its name, active or passivated", async () => {
  const test = new TestSystem();
  const { registry } = test.system;
  const keyed = test.spawnKeyed<string>({ id: "k", ...quiet });
  registry.register("room", keyed.ref("x"));
  registry.lookup<string>("room")?.tell("wake");
  test.run();
  assert.ok(keyed.passivate("x"));
  test.run();
  assert.equal(registry.lookup<string>("room")?.tell("wake again"), "accepted");
  await test.stop();
});

Deno.test("the name of a key goes with its group, so that a successor may take it", async () => {
  const test = new TestSystem();
  const { registry } = test.system;
  const parent = test.spawn<string>({
    id: "parent",
    start: (context) => {
      registry.register("room", context.spawnKeyed<string>({ id: "k", ...quiet }).ref("x"));
      return {
        receive(message) {
          throw new Error(message);
        },
      };
    },
  });
  test.run();
  registry.lookup<string>("room")?.tell("wake");
  parent.tell("crash");
  test.run();
  assert.equal(test.events.length, 1, "it could be started again");
  assert.equal(registry.lookup<string>("room")?.tell("wake the successor"), "accepted");
  await test.stop();
  assert.deepEqual(registry.names(), []);
});
