import assert from "node:assert/strict";
import type { Actor, ActorRef, Context } from "./actor.ts";
import { AskError } from "./ask.ts";
import { TestSystem } from "./testing/test_system.ts";

type Act = (context: Context<Act | string>) => void;

/** An actor that does what it is told and notes the rest. */
function acting(log: string[]): (context: Context<Act | string>) => Actor<Act | string> {
  return () => ({
    receive(message, context) {
      if (typeof message === "string") log.push(message);
      else message(context);
    },
    signal(signal) {
      const about = signal.kind === "terminated" ? ` ${signal.ref.path} ${signal.reason}` : "";
      log.push(signal.kind + about);
    },
  });
}

function setUp() {
  const test = new TestSystem();
  const log: string[] = [];
  const spawn = (id: string) =>
    test.spawn<Act | string>({ id, start: acting(log), restart: "transient" });
  const ref = spawn("a");
  const act = (deed: Act, to = ref) => {
    to.tell(deed);
    test.run();
  };
  return { test, log, ref, act, spawn };
}

Deno.test("a timer comes before the mail, also into a full mailbox", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  const ref = test.spawn<string>({
    id: "a",
    mailbox: { countMax: 1 },
    start: (context) => ({
      started: () => context.startTimer("t", 100, "timer"),
      receive: (message) => void log.push(message),
    }),
  });
  test.run();
  ref.tell("mail");
  test.clock.advance(100);
  test.run();
  assert.deepEqual(log, ["timer", "mail"]);
  await test.stop();
});

Deno.test("a timer that was cancelled or replaced is not delivered, even if it fired", async () => {
  const { test, log, act } = setUp();
  act((context) => context.startTimer("t", 100, "old"));
  act((context) => {
    test.clock.advance(100);
    context.cancelTimer("t");
  });
  act((context) => context.startTimer("t", 100, "second"));
  act((context) => {
    test.clock.advance(100);
    context.startTimer("t", 50, "third");
  });
  test.advance(200);
  assert.deepEqual(log, ["third"]);
  await test.stop();
});

Deno.test("timers, watches and the receive timeout end with a crash", async () => {
  const { test, log, act, spawn } = setUp();
  const other = spawn("b");
  act((context) => {
    context.startTimer("t", 100, "timer");
    context.setReceiveTimeout(50);
    context.watch(other);
  });
  act(() => {
    throw new Error("crash");
  });
  test.system.stopActor(other);
  test.advance(1_000);
  assert.deepEqual(log, []);
  assert.equal(test.clock.pending, 0);
  await test.stop();
});

Deno.test("the receive timeout fires after each quiet time, until it is switched off", async () => {
  const { test, log, ref, act } = setUp();
  act((context) => context.setReceiveTimeout(100));
  test.advance(60);
  ref.tell("mail");
  test.advance(60);
  assert.deepEqual(log, ["mail"]);
  test.advance(140);
  assert.deepEqual(log, ["mail", "receive_timeout", "receive_timeout"]);
  act((context) => context.setReceiveTimeout(undefined));
  test.advance(1_000);
  assert.equal(log.length, 3);
  await test.stop();
});

Deno.test("a watcher is told once of the end, also of an end long past", async () => {
  const { test, log, act, spawn } = setUp();
  const other = spawn("b");
  act((context) => {
    context.watch(other);
    context.watch(other);
  });
  test.system.stopActor(other);
  test.run();
  assert.deepEqual(log, ["terminated test/b stopped"]);
  act((context) => context.watch(other));
  assert.deepEqual(log, ["terminated test/b stopped", "terminated test/b stopped"]);
  await test.stop();
});

Deno.test("after unwatch nothing is heard, even if the end came before", async () => {
  const { test, log, act, spawn } = setUp();
  const other = spawn("b");
  act((context) => context.watch(other));
  act((context) => context.unwatch(other));
  const third = spawn("c");
  act((context) => {
    context.watch(third);
    test.system.stopActor(third);
  });
  act((context) => {
    test.system.stopActor(other);
    context.unwatch(third);
  });
  // The end of c was delivered between the two deeds; that of b never.
  assert.deepEqual(log, ["terminated test/c stopped"]);
  await test.stop();
});

Deno.test("what is no actor cannot be watched", async () => {
  const { test, act } = setUp();
  act((context) => context.watch({ path: "elsewhere", tell: () => "accepted" }));
  assert.match(test.events[0]?.failure?.message ?? "", /Cannot watch elsewhere/);
  await test.stop();
});

Deno.test("unstashed messages come before those that are still in the mailbox", async () => {
  const test = new TestSystem();
  const log: string[] = [];
  let open = false;
  const ref = test.spawn<string>({
    id: "a",
    stashMax: 2,
    start: (context) => ({
      receive(message) {
        if (message === "open") {
          open = true;
          context.unstashAll();
          context.unstashAll();
        } else if (open) log.push(message);
        else if (!context.stash(message)) log.push(`${message} refused`);
      },
    }),
  });
  for (const message of ["1", "2", "3", "open", "4"]) ref.tell(message);
  test.run();
  assert.deepEqual(log, ["3 refused", "1", "2", "4"]);
  await test.stop();
});

Deno.test("a promise comes back as a message, kept or broken", async () => {
  const { test, log, act } = setUp();
  act((context) => {
    const [ok, failed] = [(value: number) => `ok ${value}`, (e: unknown) => String(e)];
    context.pipe(Promise.resolve(1), ok, failed);
    context.pipe(Promise.reject(new Error("no")), ok, failed);
  });
  await test.settle();
  assert.deepEqual(log, ["ok 1", "Error: no"]);
  await test.stop();
});

Deno.test("a result that comes after the end is a dead letter", async () => {
  const { test, log, ref, act } = setUp();
  const { promise, resolve } = Promise.withResolvers<number>();
  act((context) => context.pipe(promise, String, String));
  test.system.stopActor(ref);
  test.run();
  resolve(7);
  await test.settle();
  assert.deepEqual(log, []);
  assert.deepEqual(test.letters.map(({ message, reason }) => `${message} ${reason}`), [
    "7 stopped",
  ]);
  await test.stop();
});

Deno.test("a crash while a result becomes a message is a crash of its actor", async () => {
  const { test, act } = setUp();
  act((context) =>
    context.pipe(Promise.resolve(1), () => {
      throw new Error("made badly");
    }, String)
  );
  await test.settle();
  assert.equal(test.events[0]?.failure?.message, "made badly");
  await test.stop();
});

Deno.test("ask: the reply, or the reason why there is none, comes as a message", async () => {
  const { test, log, act } = setUp();
  const silent = test.spawn<ActorRef<string>>({
    id: "silent",
    mailbox: { countMax: 1 },
    start: (context) => ({ receive: (replyTo) => void context.stash(replyTo) }),
  });
  const prompt = test.spawn<ActorRef<string>>({
    id: "prompt",
    start: () => ({ receive: (replyTo) => void replyTo.tell("here") }),
  });
  const asking = (to: ActorRef<ActorRef<string>>): Act => (context) =>
    context.ask<ActorRef<string>, string>(
      to,
      (replyTo) => replyTo,
      500,
      (reply) => reply,
      (cause) => cause instanceof AskError ? cause.reason : "other",
    );
  act(asking(prompt));
  act((context) => {
    asking(silent)(context);
    asking(silent)(context);
  });
  test.advance(500);
  test.system.stopActor(prompt);
  test.run();
  act(asking(prompt));
  assert.deepEqual(log, ["here", "full", "timeout", "stopped"]);
  await test.stop();
});

Deno.test("a child is found by id, stopped by ref, and its id is free again", async () => {
  const { test, log, act, spawn } = setUp();
  const quiet = { id: "c/1", start: () => ({ receive() {} }) };
  act((context) => {
    const child = context.spawn(quiet);
    log.push(child.path);
    assert.equal(context.child("c/1"), child);
    assert.throws(() => context.spawn(quiet), /it is there already/);
    context.watch(child);
    context.stop(child);
  });
  const stranger = spawn("b");
  act((context) => {
    assert.equal(context.child("c/1"), undefined);
    assert.throws(() => context.stop(stranger), /no child of test\/a/);
    context.spawn(quiet);
  });
  assert.deepEqual([log, test.events], [["test/a/c~11", "terminated test/a/c~11 stopped"], []]);
  await test.stop();
});
