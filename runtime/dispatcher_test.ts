import assert from "node:assert/strict";
import { Dispatcher, manualScheduler, type Runnable, type Scheduler } from "./dispatcher.ts";

/** Has `turns` turns to do, and notes each. */
class Work implements Runnable {
  constructor(readonly name: string, public turns: number, readonly log: string[]) {}

  turn(): boolean {
    this.log.push(this.name);
    return --this.turns > 0;
  }
}

/** Holds what was asked for until the test runs it. */
class HeldScheduler implements Scheduler {
  readonly asked: { readonly when: "soon" | "later"; readonly run: () => void }[] = [];
  soon(run: () => void): void {
    this.asked.push({ when: "soon", run });
  }
  later(run: () => void): void {
    this.asked.push({ when: "later", run });
  }
}

Deno.test("who has more to do goes to the end of the queue", () => {
  const log: string[] = [];
  const dispatcher = new Dispatcher({ scheduler: manualScheduler });
  for (const [name, turns] of [["a", 3], ["b", 1], ["c", 2]] as const) {
    dispatcher.enqueue(new Work(name, turns, log));
  }
  assert.equal(dispatcher.pending, 3);
  assert.equal(dispatcher.runUntilIdle(2), 2);
  assert.equal(dispatcher.runUntilIdle(), 4);
  assert.equal(log.join(""), "abcaca");
});

Deno.test("the queue grows and keeps its order", () => {
  const log: string[] = [];
  const dispatcher = new Dispatcher({ scheduler: manualScheduler });
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i++) dispatcher.enqueue(new Work(String(i), 1, log));
  };
  add(0, 50);
  dispatcher.runUntilIdle(30);
  add(50, 500);
  dispatcher.runUntilIdle();
  assert.deepEqual(log, Array.from({ length: 500 }, (_, i) => String(i)));
});

Deno.test("a slice that used up its time goes on after the event loop had its share", () => {
  const scheduler = new HeldScheduler();
  let nowMs = 0;
  const dispatcher = new Dispatcher({ scheduler, sliceMs: 2, monotonic: () => nowMs++ });
  const log: string[] = [];
  dispatcher.enqueue(new Work("a", 40, log));
  dispatcher.enqueue(new Work("b", 1, log));
  assert.deepEqual(scheduler.asked.map(({ when }) => when), ["soon"]);
  for (let asked = scheduler.asked.shift(); asked !== undefined; asked = scheduler.asked.shift()) {
    asked.run();
    assert.ok(scheduler.asked.every(({ when }) => when === "later"));
  }
  assert.equal(log.length, 41);
});

Deno.test("an endless chain of microtasks and tells lets the event loop run", async () => {
  const dispatcher = new Dispatcher();
  let going = true;
  let turns = 0;
  const chain: Runnable = {
    turn() {
      turns++;
      if (going) queueMicrotask(() => dispatcher.enqueue(chain));
      return false;
    },
  };
  dispatcher.enqueue(chain);
  // Resolves only if the event loop is reached.
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  going = false;
  assert.ok(turns > 16);
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  assert.equal(dispatcher.pending, 0);
});

Deno.test("slices that took their time are followed by the event loop, however few they are", () => {
  const scheduler = new HeldScheduler();
  let nowMs = 0;
  const dispatcher = new Dispatcher({ scheduler, sliceMs: 2, monotonic: () => nowMs });
  const asked: string[] = [];
  for (let i = 0; i < 6; i++) {
    dispatcher.enqueue({
      turn() {
        nowMs += 1;
        return false;
      },
    });
    const { when, run } = scheduler.asked.shift()!;
    asked.push(when);
    run();
  }
  assert.deepEqual(asked, ["soon", "soon", "later", "soon", "later", "soon"]);
});

Deno.test("a turn that gives way is followed by the event loop, and the next one goes on", () => {
  const scheduler = new HeldScheduler();
  const dispatcher = new Dispatcher({ scheduler, monotonic: () => 0 });
  const log: string[] = [];
  dispatcher.enqueue({
    turn() {
      log.push("slow");
      dispatcher.giveWay();
      return log.length < 3;
    },
  });
  dispatcher.enqueue(new Work("b", 1, log));
  for (const [when, seen] of [["soon", 1], ["later", 3]] as const) {
    const asked = scheduler.asked.shift();
    assert.equal(asked?.when, when);
    asked.run();
    assert.equal(log.length, seen);
  }
  assert.deepEqual(log, ["slow", "b", "slow"]);
  assert.deepEqual([dispatcher.pending, scheduler.asked.length], [0, 0]);
});

Deno.test("a turn that throws against its contract does not stop the others", () => {
  const scheduler = new HeldScheduler();
  const dispatcher = new Dispatcher({ scheduler });
  const log: string[] = [];
  dispatcher.enqueue({
    turn() {
      throw new Error("never");
    },
  });
  dispatcher.enqueue(new Work("b", 1, log));
  assert.throws(() => scheduler.asked.shift()?.run(), /never/);
  scheduler.asked.shift()?.run();
  assert.deepEqual(log, ["b"]);
});

Deno.test("fewer than one message a turn is refused", () => {
  for (const messagesPerTurn of [0, NaN]) {
    assert.throws(() => new Dispatcher({ messagesPerTurn }), RangeError);
  }
});
