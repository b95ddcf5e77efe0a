/** What an actor's context does once its incarnation has ended, or its system has. */
import assert from "node:assert/strict";
import type { ActorRef, Context } from "./actor.ts";
import { AskError } from "./ask.ts";
import { TestSystem } from "./testing/test_system.ts";

Deno.test("timers and watches set in `stopped` leave nothing behind, and reach no successor", async () => {
  const test = new TestSystem();
  const other = test.spawn<string>({ id: "b", start: () => ({ receive() {} }) });
  const heard: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    start: () => ({
      receive(message) {
        if (message === "crash") throw new Error(message);
        heard.push(message);
      },
      signal: (signal) => void heard.push(signal.kind),
      stopped(_reason, context) {
        context.startTimer("t", 10, "timer");
        context.setReceiveTimeout(10);
        context.watch(other);
      },
    }),
  });
  ref.tell("crash");
  test.run();
  assert.equal(test.clock.pending, 0);
  test.advance(100);
  test.system.stopActor(other);
  test.advance(100);
  assert.deepEqual(heard, []);
  await test.stop();
});

Deno.test("a receive timeout that fired is not told once it was switched off or set anew", async () => {
  const test = new TestSystem();
  const heard: string[] = [];
  type Deed = (context: Context<Deed>) => void;
  const ref = test.spawn<Deed>({
    id: "a",
    start: () => ({
      receive: (deed, context) => deed(context),
      signal: (signal) => void heard.push(signal.kind),
    }),
  });
  for (const delayMs of [undefined, 500]) {
    ref.tell((context) => {
      // Due at the same time, and set first: it is in hand while the timeout waits.
      context.startTimer("t", 100, (context) => context.setReceiveTimeout(delayMs));
      context.setReceiveTimeout(100);
    });
    test.run();
    test.clock.advance(100);
    test.run();
  }
  assert.deepEqual(heard, []);
  test.advance(500);
  assert.deepEqual(heard, ["receive_timeout"]);
  await test.stop();
});

Deno.test("a delay or a deadline that is no number is refused, and names what it was for", async () => {
  const test = new TestSystem();
  const refused: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    start: (context) => ({
      receive() {
        const tries = [
          () => context.startTimer("t", NaN, "later"),
          () => context.setReceiveTimeout(NaN),
          () => context.setReceiveTimeout(0),
          () => context.ask<unknown, string>(ref, (to) => to, NaN, (r) => r, String),
        ];
        for (const attempt of tries) {
          assert.throws(attempt, (thrown) => {
            assert.ok(thrown instanceof RangeError);
            return refused.push(thrown.message) > 0;
          });
        }
      },
    }),
  });
  ref.tell("go");
  test.run();
  assert.deepEqual(refused, [
    "Cannot start the timer t of test/a: a delay of NaN ms",
    "Cannot set the receive timeout of test/a: 0 < NaN ms does not hold",
    "Cannot set the receive timeout of test/a: 0 < 0 ms does not hold",
    "Cannot ask test/a: a deadline of NaN ms",
  ]);
  assert.deepEqual(test.events, []);
  await test.stop();
});

Deno.test("a question that could not be made does not keep its keyed actor from passivation", async () => {
  const test = new TestSystem();
  const keyed = test.spawnKeyed<string>({
    id: "k",
    start: (_key, context) => ({
      receive() {
        const make = (): string => {
          throw new Error("cannot be sent");
        };
        assert.throws(() => context.ask<string, string>(context.self, make, 10, String, String));
      },
    }),
  });
  keyed.ref("x").tell("go");
  test.run();
  assert.ok(keyed.passivate("x"));
  await test.stop();
});

Deno.test("an answer that cannot be made a message is a dead letter with the crash", async () => {
  const test = new TestSystem();
  const prompt: ActorRef<ActorRef<number>> = { path: "prompt", tell: (to) => to.tell(7) };
  const ref = test.spawn<string>({
    id: "a",
    redeliveriesMax: 3,
    start: (context) => ({
      receive() {
        const made = (reply: number): string => {
          throw new RangeError(`no use for ${reply}`);
        };
        context.ask<ActorRef<number>, number>(prompt, (to) => to, 100, made, String);
      },
    }),
  });
  ref.tell("go");
  test.run();
  assert.deepEqual(
    test.letters.map(({ message, reason, failure }) => [message, reason, failure?.message]),
    [[7, "crashed", "no use for 7"]],
  );
  await test.stop();
});

Deno.test("a question still open when its system ends is rejected, and no actor's is a letter", async () => {
  const test = new TestSystem();
  const silent = test.spawn<ActorRef<string>>({ id: "silent", start: () => ({ receive() {} }) });
  test.spawn<string>({
    id: "asks",
    start: (context) => {
      context.ask<ActorRef<string>, string>(silent, (to) => to, 1e9, String, String);
      return { receive() {} };
    },
  });
  const asked = test.system.ask<ActorRef<string>, string>(silent, (to) => to, 1e9);
  const refused = assert.rejects(asked, (cause) => {
    assert.ok(cause instanceof AskError);
    assert.equal(cause.reason, "stopped");
    return true;
  });
  test.run();
  test.system.stop();
  test.run();
  await refused;
  assert.deepEqual([test.letters, test.clock.pending], [[], 0]);
});

Deno.test("a question that falls due while its actor is being stopped is no letter", async () => {
  const test = new TestSystem();
  const silent = test.spawn<ActorRef<string>>({ id: "silent", start: () => ({ receive() {} }) });
  const end = Promise.withResolvers<void>();
  const ref = test.spawn<string>({
    id: "asks",
    start: (context) => {
      context.ask<ActorRef<string>, string>(silent, (to) => to, 100, String, String);
      return { receive() {}, stopped: () => end.promise };
    },
  });
  test.run();
  test.system.stopActor(ref);
  test.run();
  test.advance(100);
  end.resolve();
  await test.stop();
  assert.deepEqual(test.letters, []);
});
