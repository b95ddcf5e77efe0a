import assert from "node:assert/strict";
import type { ActorRef, ChildSpec, Context } from "./actor.ts";
import { TestSystem } from "./testing/test_system.ts";

type Deed = (context: Context<Deed>) => void;

/** An actor that does what it is told and notes whose end it hears of. */
function watching(test: TestSystem, ended: string[]) {
  const ref = test.spawn<Deed>({
    id: "watcher",
    start: () => ({
      receive: (deed, context) => deed(context),
      signal(signal) {
        if (signal.kind === "terminated") ended.push(`${signal.ref.path} ${signal.reason}`);
      },
    }),
  });
  test.run();
  return (deed: Deed) => {
    ref.tell(deed);
    test.run();
  };
}

const quiet = (id: string): ChildSpec<string> => ({ id, start: () => ({ receive() {} }) });

Deno.test("two actors of one path, in systems of one name, are watched each by itself", async () => {
  const [here, there] = [new TestSystem(), new TestSystem()];
  const ended: string[] = [];
  const act = watching(here, ended);
  const [first, second] = [here.spawn(quiet("a")), there.spawn(quiet("a"))];
  act((context) => {
    context.watch(first);
    context.watch(second);
    context.unwatch(first);
  });
  here.system.stopActor(first);
  here.run();
  assert.deepEqual(ended, []);
  there.system.stopActor(second);
  there.run();
  here.run();
  assert.deepEqual(ended, ["test/a stopped"]);
  await here.stop();
  await there.stop();
});

Deno.test("a successor of the same id is watched while the end of the first is still untold", async () => {
  const test = new TestSystem();
  const ended: string[] = [];
  const act = watching(test, ended);
  let successor: ActorRef<string> | undefined;
  act((context) => context.watch(context.spawn(quiet("a"))));
  act((context) => {
    const first = context.child("a")!;
    // Both wait before the mail when `a` is gone: the answer first, and then its end.
    const answered: Deed = () => {
      successor = context.spawn(quiet("a"));
      context.watch(successor);
    };
    const never: Deed = () => assert.fail("it was answered");
    context.stop(first);
    const asked: ActorRef<ActorRef<string>> = { path: "asked", tell: (r) => r.tell("now") };
    context.ask<ActorRef<string>, string>(asked, (r) => r, 100, () => answered, () => never);
    context.giveWay();
  });
  assert.deepEqual(ended, ["test/watcher/a stopped"]);
  act((context) => context.stop(successor!));
  assert.deepEqual(ended, ["test/watcher/a stopped", "test/watcher/a stopped"]);
  await test.stop();
});

Deno.test("two keys of one path, in systems of one name, are watched each by itself", async () => {
  const systems = [new TestSystem(), new TestSystem()] as const;
  const ended: string[] = [];
  const act = watching(systems[0], ended);
  const groups = systems.map((test) => {
    const keyed = test.spawnKeyed<string>({ id: "k", start: () => ({ receive() {} }) });
    const key = keyed.ref("x");
    key.tell("wake");
    test.run();
    act((context) => context.watch(key));
    return keyed;
  });
  for (const [i, test] of systems.entries()) {
    assert.ok(groups[i]!.passivate("x"));
    test.run();
    systems[0].run();
    assert.equal(ended.length, i + 1);
  }
  for (const test of systems) await test.stop();
});

Deno.test("every handle of a key watches, and lets go of, the same actor", async () => {
  const test = new TestSystem();
  const ended: string[] = [];
  const act = watching(test, ended);
  const keyed = test.spawnKeyed<string>({ id: "k", start: () => ({ receive() {} }) });
  const [sends, watches, lets] = [keyed.ref("x"), keyed.ref("x"), keyed.ref("x")];
  sends.tell("wake");
  act((context) => context.watch(watches));
  act((context) => context.unwatch(lets));
  act((context) => {
    context.watch(sends);
    context.watch(watches);
  });
  assert.ok(keyed.passivate("x"));
  test.run();
  assert.deepEqual(ended, ["test/k/x passivated"]);
  await test.stop();
});
