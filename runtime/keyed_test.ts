import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorRef, Context } from "./actor.ts";
import type { KeyedSpec } from "./keyed.ts";
import { TestSystem } from "./testing/test_system.ts";

/** Counters by key, whose sums are saved when they are passivated. */
function counters(test: TestSystem, spec: Partial<KeyedSpec<string>> = {}) {
  const log: string[] = [];
  const saved = new Map<string, number>();
  const keyed = test.spawnKeyed<string>({
    id: "counters",
    kind: "counter",
    idleMs: 800,
    start: (key, context: Context<string>) => {
      let sum = saved.get(key) ?? 0;
      log.push(`+${key}`);
      return {
        receive(message) {
          log.push(`${key}=${++sum}`);
          if (message === "crash") throw new Error("crash");
          if (message === "end") context.stop(context.self);
        },
        stopped(reason) {
          saved.set(key, sum);
          log.push(`-${key} ${reason}`);
        },
      };
    },
    ...spec,
  });
  test.run();
  return { keyed, log, seen: () => log.splice(0).join(" ") };
}

Deno.test("the first message makes the actor, equal keys are one actor", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test);
  const [first, second] = [keyed.ref("a/b"), keyed.ref("a/b")];
  assert.equal(keyed.active, 0);
  assert.equal(first.path, "test/counters/a~1b");
  first.tell("");
  second.tell("");
  test.run();
  assert.equal(seen(), "+a/b a/b=1 a/b=2");
  assert.deepEqual([keyed.active, keyed.activations, keyed.has("a/b")], [1, 1, true]);
  await test.stop();
});

Deno.test("an idle actor is passivated with its state kept, and made again by the next message", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test);
  const [idle, busy] = [keyed.ref("idle"), keyed.ref("busy")];
  idle.tell("");
  for (let i = 0; i < 10; i++) {
    busy.tell("");
    test.advance(100);
  }
  assert.match(seen(), /-idle passivated/);
  assert.deepEqual([keyed.has("idle"), keyed.has("busy")], [false, true]);
  idle.tell("");
  test.run();
  assert.equal(seen(), "+idle idle=2");
  assert.deepEqual(test.letters, []);
  await test.stop();
});

Deno.test("mail that comes while an actor saves itself is handled by its successor", async () => {
  const test = new TestSystem();
  const { promise, resolve } = Promise.withResolvers<void>();
  const log: string[] = [];
  const keyed = test.spawnKeyed<string>({
    id: "k",
    idleMs: 800,
    start: (key) => ({
      started: () => void log.push(`+${key}`),
      receive: (message) => void log.push(message),
      stopped: () => promise,
    }),
  });
  const ref = keyed.ref("a");
  ref.tell("1");
  test.run();
  assert.equal(keyed.passivate("a"), true);
  test.run();
  assert.equal(ref.tell("2"), "accepted");
  test.run();
  assert.deepEqual(log, ["+a", "1"]);
  resolve();
  await test.settle();
  assert.deepEqual(log, ["+a", "1", "+a", "2"]);
  await test.stop();
});

Deno.test("an actor that stops itself is passivated; mail behind it makes it again", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test);
  for (const message of ["", "end", ""]) keyed.ref("a").tell(message);
  test.run();
  assert.equal(seen(), "+a a=1 a=2 -a passivated +a a=3");
  await test.stop();
});

Deno.test("a busy actor is not passivated", async () => {
  const test = new TestSystem();
  const { keyed } = counters(test);
  keyed.ref("a").tell("");
  assert.equal(keyed.passivate("a"), false);
  assert.equal(keyed.passivate("b"), false);
  test.run();
  assert.equal(keyed.passivate("a"), true);
  test.run();
  assert.equal(keyed.active, 0);
  await test.stop();
});

Deno.test("an actor that waits for a result is not passivated", async () => {
  const test = new TestSystem();
  const { promise, resolve } = Promise.withResolvers<string>();
  const log: string[] = [];
  const keyed = test.spawnKeyed<string>({
    id: "k",
    idleMs: 800,
    start: (_key, context) => ({
      receive(message) {
        log.push(message);
        if (message === "ask") context.pipe(promise, (value) => value, String);
      },
      stopped: (reason) => void log.push(reason),
    }),
  });
  keyed.ref("a").tell("ask");
  test.advance(5_000);
  assert.equal(keyed.passivate("a"), false);
  resolve("answer");
  await test.settle();
  assert.deepEqual(log, ["ask", "answer"]);
  test.advance(5_000);
  assert.deepEqual(log, ["ask", "answer", "passivated"]);
  await test.stop();
});

Deno.test("beyond the maximum the least recently used give way", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test, { activeMax: 4, idleMs: 1e9 });
  const ref = (key: string) => keyed.ref(key);
  for (const key of ["a", "b", "c", "d"]) {
    ref(key).tell("");
    test.run();
    test.advance(10);
  }
  // A first search notes who was used; from then on time tells them apart.
  ref("e").tell("");
  test.run();
  for (const key of ["a", "c", "d", "e"]) {
    test.advance(10);
    ref(key).tell("");
    test.run();
  }
  seen();
  assert.ok(keyed.active <= 5);
  for (let i = 0; i < 50; i++) {
    ref(`x${i}`).tell("");
    ref("a").tell("");
    test.advance(1);
  }
  assert.ok(keyed.active <= 5, String(keyed.active));
  assert.ok(keyed.has("a"));
  assert.deepEqual([test.letters, keyed.refused], [[], 0]);
  await test.stop();
});

Deno.test("when nobody can give way, a new key is answered full, and known ones go on", async () => {
  const test = new TestSystem();
  const { keyed } = counters(test, { activeMax: 4 });
  const answers = Array.from({ length: 30 }, (_, i) => keyed.ref(`k${i}`).tell(""));
  assert.deepEqual(new Set(answers.slice(0, 20)), new Set(["accepted"]));
  assert.deepEqual(new Set(answers.slice(20)), new Set(["full"]));
  assert.equal(keyed.refused, 10);
  assert.equal(keyed.ref("k3").tell(""), "accepted");
  test.run();
  // Now they are idle: whoever comes makes room, and the excess is worked off.
  for (let i = 30; i < 60; i++) {
    keyed.ref(`k${i}`).tell("");
    test.run();
  }
  assert.equal(keyed.ref("k60").tell(""), "accepted");
  assert.ok(keyed.active <= 6, String(keyed.active));
  assert.deepEqual(test.letters, []);
  await test.stop();
});

Deno.test("a key that keeps crashing is quarantined, and forgotten when nobody writes to it", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test, {
    supervision: { intensity: 1, periodMs: 1_000, onExceeded: "quarantine" },
  });
  const bad = keyed.ref("bad");
  for (const message of ["crash", "crash", "late"]) bad.tell(message);
  keyed.ref("good").tell("");
  test.run();
  assert.match(seen(), /-bad quarantined/);
  assert.deepEqual(test.letters.map(({ message, reason }) => `${message} ${reason}`), [
    "crash crashed",
    "crash crashed",
    "late quarantined",
  ]);
  assert.equal(bad.tell("more"), "accepted");
  test.run();
  assert.equal(test.letters.at(-1)?.reason, "quarantined");
  assert.deepEqual(["bad", "good", "none"].map((key) => keyed.isQuarantined(key)), [
    true,
    false,
    false,
  ]);
  assert.equal(keyed.release("bad"), true);
  assert.equal(keyed.isQuarantined("bad"), false);
  bad.tell("");
  test.run();
  assert.equal(seen(), "+bad bad=3");
  for (const message of ["crash", "crash"]) bad.tell(message);
  test.run();
  assert.equal(test.system.summary().get("counter")?.quarantined, 1);
  test.advance(2_000);
  assert.equal(keyed.has("bad"), false);
  bad.tell("");
  test.run();
  assert.match(seen(), /bad=6$/);
  await test.stop();
});

Deno.test("watching a key follows the actor that is active", async () => {
  const test = new TestSystem();
  const { keyed } = counters(test);
  const ends: string[] = [];
  keyed.ref("a").tell("");
  test.run();
  test.spawn<ActorRef<never>>({
    id: "watcher",
    start: (context) => ({
      receive: (ref) => context.watch(ref),
      signal: (signal) => {
        if (signal.kind === "terminated") ends.push(`${signal.ref.path} ${signal.reason}`);
      },
    }),
  }).tell(keyed.ref("a"));
  test.run();
  keyed.passivate("a");
  test.run();
  assert.deepEqual(ends, ["test/counters/a passivated"]);
  test.spawn<ActorRef<never>>({
    id: "second",
    start: (context) => ({
      receive: (ref) => context.watch(ref),
      signal: (signal) => void ends.push(signal.kind),
    }),
  }).tell(keyed.ref("never active"));
  test.run();
  assert.equal(ends.at(-1), "terminated");
  await test.stop();
});

Deno.test("after the group's end a handle answers stopped", async () => {
  const test = new TestSystem();
  const { keyed, seen } = counters(test);
  const ref = keyed.ref("a");
  ref.tell("");
  test.run();
  await test.stop();
  assert.equal(seen(), "+a a=1 -a shutdown");
  assert.deepEqual([ref.tell(""), keyed.ref("b").tell("")], ["stopped", "stopped"]);
  assert.equal(test.clock.pending, 0);
});

for (const bad of [{ idleMs: 0 }, { activeMax: 0 }, { activeMax: NaN }]) {
  Deno.test(`keyed actors with ${Object.entries(bad).join()} are refused`, async () => {
    const test = new TestSystem();
    assert.throws(() => counters(test, bad), RangeError);
    await test.stop();
  });
}

Deno.test("property: whatever is passivated when, every message is counted once, by its key", async () => {
  const step = fc.record({
    key: fc.nat(11),
    passivate: fc.boolean(),
    waitMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(900)),
    run: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const test = new TestSystem({ messagesPerTurn: 2 });
      const { keyed, log } = counters(test, { activeMax: 4 });
      const sent = new Map<string, number>();
      for (const { key, passivate, waitMs, run } of steps) {
        const name = `k${key}`;
        if (passivate) keyed.passivate(name);
        else if (keyed.ref(name).tell("") === "accepted") {
          sent.set(name, (sent.get(name) ?? 0) + 1);
        }
        if (waitMs > 0) test.advance(waitMs);
        else if (run) test.run();
      }
      test.run();
      const last = new Map<string, number>();
      for (const line of log) {
        const [name, sum] = line.split("=");
        if (sum !== undefined) last.set(name!, Number(sum));
      }
      assert.deepEqual([...last].sort(), [...sent].sort());
      assert.deepEqual(test.letters, []);
      await test.stop();
    }),
    { numRuns: 200, seed: 6 },
  );
});
