import assert from "node:assert/strict";
import type { Actor, ActorRef, Context } from "./actor.ts";
import { TestSystem } from "./testing/test_system.ts";

/** An actor that notes what it gets and does what the message says. */
class Noting implements Actor<string> {
  constructor(readonly log: string[]) {}

  receive(message: string): void {
    this.log.push(message);
    if (message.startsWith("boom")) throw new Error(message);
  }
}

Deno.test("messages come in order, one at a time, never within tell", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  let inside = false;
  const ref: ActorRef<number> = test.spawn<number>({
    id: "a",
    start: () => ({
      receive(message) {
        assert.equal(inside, false);
        inside = true;
        log.push(String(message));
        if (message < 3) assert.equal(ref.tell(message + 1), "accepted");
        inside = false;
      },
    }),
  });
  ref.tell(1);
  assert.deepEqual(log, []);
  test.run();
  assert.deepEqual(log, ["1", "2", "3"]);
  await test.stop();
});

Deno.test("a full mailbox and a stopped actor say so, and do not take the message", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    start: () => new Noting(log),
    mailbox: { countMax: 2 },
  });
  assert.deepEqual(["1", "2", "3"].map((m) => ref.tell(m)), ["accepted", "accepted", "full"]);
  assert.equal(test.system.inspect({ path: "test/a" })?.refused, 1);
  test.run();
  await test.stop();
  assert.equal(ref.tell("4"), "stopped");
  assert.deepEqual([log, test.letters], [["1", "2"], []]);
});

Deno.test("a busy actor gives way after its share of messages", async () => {
  const test = new TestSystem({ messagesPerTurn: 2 });
  const log: string[] = [];
  const [a, b] = ["a", "b"].map((id) => test.spawn<string>({ id, start: () => new Noting(log) }));
  for (const message of ["a1", "a2", "a3"]) a!.tell(message);
  for (const message of ["b1", "b2", "b3"]) b!.tell(message);
  test.run();
  assert.deepEqual(log, ["a1", "a2", "b1", "b2", "a3", "b3"]);
  await test.stop();
});

Deno.test("an actor that gives way handles no more mail in its turn, and the rest in the next", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const slow = test.spawn<string>({
    id: "slow",
    start: () => ({
      receive(message, context) {
        log.push(message);
        if (message === "s1") context.giveWay();
      },
    }),
  });
  const b = test.spawn<string>({ id: "b", start: () => new Noting(log) });
  for (const message of ["s1", "s2", "s3"]) slow.tell(message);
  b.tell("b1");
  test.run();
  assert.deepEqual(log, ["s1", "b1", "s2", "s3"]);
  await test.stop();
});

Deno.test("a crash restarts in place: new state, same ref, the mail behind it is kept", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  let incarnations = 0;
  const ref = test.spawn<string>({
    id: "a",
    start: () => {
      log.push(`start ${++incarnations}`);
      return Object.assign(new Noting(log), {
        stopped: (reason: string, _: unknown, failure?: Error) =>
          void log.push(`stopped ${reason} ${failure?.message}`),
      });
    },
  });
  for (const message of ["1", "boom", "2"]) ref.tell(message);
  test.run();
  assert.deepEqual(log, ["start 1", "1", "boom", "stopped failed boom", "start 2", "2"]);
  const [letter] = test.letters;
  assert.deepEqual([letter?.message, letter?.reason, letter?.target, letter?.failure?.message], [
    "boom",
    "crashed",
    "test/a",
    "boom",
  ]);
  assert.deepEqual(test.events.map(({ decision }) => decision), ["restart"]);
  assert.equal(test.system.restartsByKind.get("a"), 1);
  await test.stop();
});

Deno.test("the message that crashes is tried again as often as allowed, before the others", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const ref = test.spawn<string>({ id: "a", start: () => new Noting(log), redeliveriesMax: 2 });
  for (const message of ["boom", "2", "boom"]) ref.tell(message);
  test.run();
  // The second boom finds the intensity used up.
  assert.deepEqual(log.slice(0, 4), ["boom", "boom", "boom", "2"]);
  assert.equal(test.letters[0]?.reason, "crashed");
  await test.stop();
});

Deno.test("a message that succeeds when tried again is not dead-lettered", async () => {
  const test = new TestSystem();
  let tries = 0;
  const ref = test.spawn<string>({
    id: "a",
    start: () => ({
      receive() {
        if (++tries < 3) throw new Error("not yet");
      },
    }),
    redeliveriesMax: 2,
  });
  ref.tell("it");
  test.run();
  assert.deepEqual([tries, test.letters.length], [3, 0]);
  await test.stop();
});

Deno.test("mailOnCrash dead_letter: what waited goes with the crash", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    start: (context: Context<string>) => ({
      receive(message) {
        log.push(message);
        if (message === "stash") context.stash(message);
        if (message === "boom") throw new Error(message);
      },
    }),
    mailOnCrash: "dead_letter",
  });
  for (const message of ["stash", "boom", "2", "3"]) ref.tell(message);
  test.run();
  ref.tell("4");
  test.run();
  assert.deepEqual(log, ["stash", "boom", "4"]);
  const letters = test.letters.map(({ message, reason }) => `${message} ${reason}`);
  assert.deepEqual(letters, ["boom crashed", "stash failed", "2 failed", "3 failed"]);
  await test.stop();
});

Deno.test("a crash puts the stash back before the mail", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  let incarnation = 0;
  const ref = test.spawn<string>({
    id: "a",
    start: (context) => {
      incarnation++;
      return {
        receive(message) {
          if (incarnation === 1 && message.startsWith("s")) context.stash(message);
          else log.push(message);
          if (message === "boom" && incarnation === 1) throw new Error(message);
        },
      };
    },
    redeliveriesMax: 1,
  });
  for (const message of ["s1", "s2", "boom", "3"]) ref.tell(message);
  test.run();
  assert.deepEqual(log, ["boom", "s1", "s2", "boom", "3"]);
  await test.stop();
});

for (const where of ["factory", "started"] as const) {
  Deno.test(`a crash in ${where} is supervised, and the mail waits for the next try`, async () => {
    const test = new TestSystem();
    const log: string[] = [];
    let tries = 0;
    const ref = test.spawn<string>({
      id: "a",
      start: () => {
        if (where === "factory" && ++tries < 3) throw new Error("not yet");
        return Object.assign(new Noting(log), {
          started: () => {
            if (where === "started" && ++tries < 3) throw new Error("not yet");
          },
        });
      },
    });
    ref.tell("1");
    test.run();
    assert.deepEqual([log, test.letters, tries], [["1"], [], 3]);
    await test.stop();
  });
}

Deno.test("when an actor ends, what it had not handled is dead-lettered", async () => {
  const test = new TestSystem();
  const ref = test.spawn<string>({
    id: "a",
    start: (context) => ({
      receive(message) {
        if (message === "stash") context.stash(message);
        else context.stop(context.self);
      },
    }),
    restart: "transient",
  });
  for (const message of ["stash", "end", "2", "3"]) ref.tell(message);
  test.run();
  const letters = test.letters.map(({ message, reason }) => `${message} ${reason}`);
  assert.deepEqual(letters, ["stash completed", "2 completed", "3 completed"]);
  assert.equal(ref.tell("4"), "stopped");
  await test.stop();
});

Deno.test("a permanent actor that stops itself comes back, with its mail", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    start: (context) => {
      log.push("start");
      return {
        receive(message) {
          log.push(message);
          if (message === "end") context.stop(context.self);
        },
      };
    },
  });
  for (const message of ["1", "end", "2"]) ref.tell(message);
  test.run();
  assert.deepEqual(log, ["start", "1", "end", "start", "2"]);
  assert.deepEqual(test.letters, []);
  await test.stop();
});

Deno.test("a crash after the actor stopped itself still names its failure", async () => {
  const test = new TestSystem();
  const ref = test.spawn<string>({
    id: "a",
    restart: "temporary",
    start: (context) => ({
      receive() {
        context.stop(context.self);
        throw new Error("after all");
      },
    }),
  });
  ref.tell("end");
  test.run();
  const [letter] = test.letters;
  assert.deepEqual([letter?.reason, letter?.failure?.message], ["crashed", "after all"]);
  assert.deepEqual(test.events.map(({ exit, decision }) => `${exit} ${decision}`), [
    "completed remove",
  ]);
  await test.stop();
});

Deno.test("an error in stopped is reported, and the actor ends all the same", async () => {
  const test = new TestSystem();
  const stopped: string[] = [];
  for (const id of ["throws", "rejects", "hangs", "odd", "good"]) {
    test.spawn<string>({
      id,
      shutdownMs: 700,
      start: () => ({
        receive() {},
        stopped() {
          stopped.push(id);
          if (id === "throws") throw new Error(id);
          if (id === "rejects") return Promise.reject(new Error(id));
          if (id === "odd") return JSON.parse("{}"); // As JavaScript may.
          return id === "hangs" ? new Promise<void>(() => {}) : undefined;
        },
      }),
    });
  }
  test.run();
  assert.equal(await test.stop(), undefined);
  assert.deepEqual(stopped, ["good", "odd", "hangs", "rejects", "throws"]);
  assert.deepEqual(test.stopFaults.map(({ path, failure }) => `${path}: ${failure.message}`), [
    "test/hangs: It did not stop within 700 ms",
    "test/rejects: rejects",
    "test/throws: throws",
  ]);
  assert.equal(test.system.stopFaults, 3);
});

Deno.test("a parent hears of pressure and of relief", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  let child: ActorRef<number> | undefined;
  test.spawn<never>({
    id: "parent",
    start: () => ({
      started(context) {
        child = context.spawn<number>({
          id: "child",
          mailbox: { countMax: 10 },
          start: () => ({ receive() {} }),
        });
      },
      receive() {},
      signal(signal) {
        if (signal.kind === "pressure") log.push(`${signal.child} ${signal.high}`);
      },
    }),
  });
  test.run();
  for (let i = 0; i < 10; i++) child?.tell(i);
  test.run();
  assert.deepEqual(log, ["child true", "child false"]);
  await test.stop();
});

Deno.test("a stopping actor cannot start children", async () => {
  const test = new TestSystem();
  test.spawn<string>({
    id: "a",
    start: () => ({
      receive() {},
      stopped(_reason, context) {
        context.spawn({ id: "late", start: () => ({ receive() {} }) });
      },
    }),
  });
  test.run();
  await test.stop();
  assert.match(test.stopFaults[0]?.failure.message ?? "", /Cannot start late under test\/a/);
});
