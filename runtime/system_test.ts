import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorRef } from "./actor.ts";
import { AskError } from "./ask.ts";
import { ActorSystem } from "./system.ts";
import { TestSystem } from "./testing/test_system.ts";

Deno.test("a system runs by itself on the event loop, and ends without leaving anything behind", async () => {
  const system = new ActorSystem();
  const echo = system.spawn<{ n: number; replyTo: ActorRef<number> }>({
    id: "echo",
    start: () => ({ receive: ({ n, replyTo }) => void replyTo.tell(n) }),
  });
  const ask = (n: number) =>
    system.ask(echo, (replyTo: ActorRef<number>) => ({ n, replyTo }), 1_000);
  assert.deepEqual(await Promise.all([1, 2, 3].map(ask)), [1, 2, 3]);
  assert.equal(await system.stop(), undefined);
});

Deno.test("ask from outside rejects with its reason; a late answer is a dead letter", async () => {
  const test = new TestSystem();
  let waiting: ActorRef<string> | undefined;
  const slow = test.spawn<ActorRef<string>>({
    id: "slow",
    mailbox: { countMax: 1 },
    start: () => ({ receive: (replyTo) => void (waiting = replyTo) }),
  });
  const ask = () => {
    return test.system.ask<ActorRef<string>, string>(slow, (replyTo) => replyTo, 100)
      .catch((cause: unknown) => cause instanceof AskError ? cause.reason : cause);
  };
  const [first, second] = [ask(), ask()];
  test.advance(100);
  assert.deepEqual([await first, await second], ["timeout", "full"]);
  assert.equal(waiting?.tell("late"), "stopped");
  assert.deepEqual(test.letters.map(({ message, reason, target }) => [message, reason, target]), [
    ["late", "late_reply", "test/slow?reply"],
  ]);
  await test.stop();
  assert.equal(await ask(), "stopped");
  assert.equal(test.clock.pending, 0);
});

Deno.test("a report that throws is counted, and changes nothing", async () => {
  const test = new TestSystem({
    onSupervision() {
      throw new Error("log is full");
    },
  });
  let starts = 0;
  const ref = test.spawn<string>({
    id: "a",
    start: () => ({
      started: () => void starts++,
      receive() {
        throw new Error("crash");
      },
    }),
  });
  ref.tell("");
  test.run();
  assert.deepEqual([starts, test.system.reportFailures], [2, 1]);
  await test.stop();
});

Deno.test("a second top-level actor of one id is refused, a foreign one cannot be stopped", async () => {
  const [test, other] = [new TestSystem(), new TestSystem()];
  const spec = { id: "a", start: () => ({ receive() {} }) };
  const ref = test.spawn<string>(spec);
  assert.throws(() => test.spawn(spec), /Cannot start a under test: it is there already/);
  assert.throws(() => other.system.stopActor(ref), /Cannot stop test\/a/);
  await Promise.all([test.stop(), other.stop()]);
  assert.throws(() => test.spawn(spec), /Cannot start a under test, which is stopped/);
});

Deno.test("the tree shows state, depth and limit, restarts and the last error", async () => {
  const test = new TestSystem({ messagesPerTurn: 1 });
  const parent = test.spawn<string>({
    id: "parent",
    start: (context) => {
      for (const id of ["x", "y", "z"]) {
        context.spawn<string>({
          id,
          kind: "worker",
          mailbox: { countMax: 5 },
          start: () => ({
            receive() {
              throw new Error(`of ${id}`);
            },
          }),
        });
      }
      return { receive: (message) => void context.child<string>(message)?.tell("work") };
    },
  });
  test.run();
  parent.tell("z");
  test.run();
  const view = test.system.inspect({ path: "test/parent", childrenMax: 2 });
  // Those in trouble come first when not all are listed.
  assert.deepEqual(view?.children.map(({ id }) => id), ["z", "x"]);
  assert.equal(view?.childrenOmitted, 1);
  const [z] = view.children;
  assert.deepEqual([z?.state, z?.kind, z?.mailboxLimit, z?.mailboxDepth, z?.restarts, z?.handled], [
    "running",
    "worker",
    5,
    0,
    1,
    1,
  ]);
  assert.equal(z?.lastError?.message, "of z");
  assert.equal(test.system.inspect({ path: "test/nobody" }), undefined);
  assert.deepEqual(test.system.summary().get("worker"), {
    actors: 3,
    quarantined: 0,
    mailboxDepth: 0,
  });
  assert.equal(test.system.release("test/nobody/at/all"), false);
  await test.stop();
});

interface Letter {
  readonly sender: number;
  readonly number: number;
  readonly crashes: boolean;
}

Deno.test("property: no message is lost silently, and each sender's order is kept", async () => {
  const message = fc.record({ sender: fc.nat(2), crashes: fc.boolean(), runFirst: fc.boolean() });
  const settings = fc.record({
    mailOnCrash: fc.constantFrom("redeliver" as const, "dead_letter" as const),
    redeliveriesMax: fc.nat(2),
    countMax: fc.integer({ min: 1, max: 30 }),
    messagesPerTurn: fc.integer({ min: 1, max: 5 }),
    intensity: fc.nat(6),
    onExceeded: fc.constantFrom("quarantine" as const, "stop" as const, "escalate" as const),
    backoffMs: fc.constantFrom(0, 50),
    stashes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(settings, fc.array(message, { maxLength: 80 }), async (given, messages) => {
      const test = new TestSystem({
        messagesPerTurn: given.messagesPerTurn,
        supervision: {
          strategy: "one_for_one",
          intensity: given.intensity,
          periodMs: 1_000,
          onExceeded: given.onExceeded,
          backoff: {
            minMs: given.backoffMs,
            maxMs: given.backoffMs,
            factor: 1,
            jitter: 0,
            resetMs: 9,
          },
        },
      });
      const handled: Letter[] = [];
      const tried = new Map<Letter, number>();
      const ref = test.spawn<Letter>({
        id: "a",
        mailOnCrash: given.mailOnCrash,
        redeliveriesMax: given.redeliveriesMax,
        mailbox: { countMax: given.countMax },
        stashMax: 3,
        start: (context) => {
          const stashed = new Set<Letter>();
          return {
            receive(letter) {
              if (given.stashes && letter.number % 3 === 0 && !stashed.has(letter)) {
                if (context.stash(letter)) {
                  stashed.add(letter);
                  return;
                }
              }
              tried.set(letter, (tried.get(letter) ?? 0) + 1);
              if (letter.crashes) throw new Error("crash");
              handled.push(letter);
              if (letter.number % 5 === 0) context.unstashAll();
            },
          };
        },
      });
      const accepted: Letter[] = [];
      for (const [number, { sender, crashes, runFirst }] of messages.entries()) {
        if (runFirst) test.advance(10);
        const letter = { sender, number, crashes };
        if (ref.tell(letter) === "accepted") accepted.push(letter);
      }
      test.advance(10_000);
      await test.stop();
      const dead = test.letters.map((letter) => letter.message as Letter);
      const ends = [...handled, ...dead].sort((a, b) => a.number - b.number);
      // Each accepted message has exactly one end.
      assert.deepEqual(ends, accepted);
      for (const letter of accepted) {
        const tries = tried.get(letter) ?? 0;
        assert.ok(tries <= 1 + given.redeliveriesMax);
        if (!letter.crashes && !dead.includes(letter)) assert.equal(tries, 1);
      }
      for (const { message, reason, failure } of test.letters) {
        if (reason === "crashed") assert.ok((message as Letter).crashes && failure !== undefined);
      }
      // A stash is how an actor itself asks for another order.
      if (!given.stashes) {
        for (const sender of [0, 1, 2]) {
          const numbers = handled.filter((l) => l.sender === sender).map((l) => l.number);
          assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
        }
      }
    }),
    { numRuns: 500, seed: 7 },
  );
});
