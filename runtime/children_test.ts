import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorRef, ChildSpec, RestartType, SupervisionSpec } from "./actor.ts";
import { TestSystem } from "./testing/test_system.ts";

type Deed = "crash" | "complete" | "note";

/** A supervisor with children that do as they are told, and a log of all that starts and stops. */
function family(
  test: TestSystem,
  supervision: Partial<SupervisionSpec>,
  children: readonly (Partial<ChildSpec<Deed>> & { id: string })[],
) {
  const log: string[] = [];
  const refs = new Map<string, ActorRef<Deed>>();
  test.spawn<never>({
    id: "sup",
    supervision: {
      strategy: "one_for_one",
      intensity: 3,
      periodMs: 5_000,
      onExceeded: "escalate",
      ...supervision,
    },
    restart: "temporary",
    start: (context) => {
      for (const child of children) {
        const ref = context.spawn<Deed>({
          start: (own) => {
            log.push(`+${child.id}`);
            return {
              receive(deed) {
                if (deed === "note") log.push(`!${child.id}`);
                else if (deed === "complete") own.stop(own.self);
                else throw new Error(`crash of ${child.id}`);
              },
              stopped: (reason) => void log.push(`-${child.id} ${reason}`),
            };
          },
          ...child,
        });
        refs.set(child.id, ref);
      }
      return { receive() {}, stopped: (reason) => void log.push(`-sup ${reason}`) };
    },
  });
  test.run();
  const tell = (id: string, deed: Deed) => {
    const answer = refs.get(id)!.tell(deed);
    test.run();
    return answer;
  };
  /** What happened since the last look. */
  const seen = () => log.splice(0).join(" ");
  return { tell, seen, refs };
}
const abc = [{ id: "a" }, { id: "b" }, { id: "c" }];

Deno.test("one_for_one restarts the one that crashed", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, {}, abc);
  assert.equal(seen(), "+a +b +c");
  tell("b", "crash");
  assert.equal(seen(), "-b failed +b");
  await test.stop();
  assert.equal(seen(), "-c shutdown -b shutdown -a shutdown -sup shutdown");
});

Deno.test("one_for_all stops all in reverse and starts them in order", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { strategy: "one_for_all" }, abc);
  seen();
  tell("b", "crash");
  assert.equal(seen(), "-b failed -c shutdown -a shutdown +a +b +c");
  await test.stop();
});

Deno.test("rest_for_one leaves those that were started before", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { strategy: "rest_for_one" }, abc);
  seen();
  tell("b", "crash");
  assert.equal(seen(), "-b failed -c shutdown +b +c");
  await test.stop();
});

Deno.test("a temporary sibling that goes along does not come back", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { strategy: "one_for_all" }, [
    { id: "a" },
    { id: "b", restart: "temporary" },
    { id: "c" },
  ]);
  seen();
  tell("c", "crash");
  assert.equal(seen(), "-c failed -b shutdown -a shutdown +a +c");
  assert.equal(tell("b", "note"), "stopped");
  await test.stop();
});

Deno.test("too many restarts escalate: the supervisor fails, and its own supervisor decides", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { intensity: 1 }, abc);
  seen();
  tell("b", "crash");
  tell("b", "crash");
  assert.equal(
    seen(),
    "-b failed +b -b failed -c shutdown -a shutdown -sup failed",
  );
  const [last] = test.events.slice(-1);
  assert.equal(last?.path, "test/sup");
  assert.match(
    last?.failure?.message ?? "",
    /test\/sup\/b needed more than 1 restarts.*crash of b/,
  );
  await test.stop();
});

Deno.test("an escalation that nobody stops ends the system, with its cause", async () => {
  const test = new TestSystem({
    supervision: { strategy: "one_for_one", intensity: 0, periodMs: 1, onExceeded: "escalate" },
  });
  const ref = test.spawn<string>({
    id: "a",
    start: () => ({
      receive() {
        throw new Error("fatal");
      },
    }),
  });
  ref.tell("now");
  test.run();
  assert.match((await test.system.terminated)?.message ?? "", /test\/a needed .* fatal/);
});

Deno.test("quarantine keeps one child away from its mail, and the others are well", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { intensity: 1, onExceeded: "quarantine" }, abc);
  seen();
  for (let i = 0; i < 2; i++) tell("b", "crash");
  tell("a", "crash");
  assert.equal(seen(), "-b failed +b -b quarantined -a failed +a");
  assert.equal(tell("b", "note"), "accepted");
  assert.equal(tell("a", "note"), "accepted");
  assert.equal(seen(), "!a");
  const last = test.letters.at(-1);
  assert.deepEqual([last?.message, last?.reason, last?.failure?.message], [
    "note",
    "quarantined",
    "crash of b",
  ]);
  const view = test.system.inspect({ path: "test/sup/b" });
  assert.deepEqual([view?.state, view?.lastError?.message], ["quarantined", "crash of b"]);

  assert.equal(test.system.release("test/sup/b"), true);
  assert.equal(test.system.release("test/sup/b"), false);
  tell("b", "note");
  tell("b", "crash");
  assert.equal(seen(), "+b !b -b failed +b");
  await test.stop();
});

Deno.test("a quarantined child stays out of its siblings' restart", async () => {
  const test = new TestSystem();
  const spec = { strategy: "one_for_all", intensity: 0, onExceeded: "quarantine" } as const;
  const { tell, seen } = family(test, { ...spec, intensity: 1 }, abc);
  tell("b", "crash");
  seen();
  tell("b", "crash");
  assert.equal(seen(), "-b quarantined");
  tell("a", "crash");
  assert.equal(seen(), "-a failed -c shutdown +a +c");
  await test.stop();
});

Deno.test("onExceeded stop ends the child alone", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { intensity: 0, onExceeded: "stop" }, abc);
  seen();
  tell("b", "crash");
  assert.equal(seen(), "-b failed");
  assert.deepEqual([tell("b", "note"), tell("a", "note")], ["stopped", "accepted"]);
  await test.stop();
});

const backoff = { minMs: 100, maxMs: 400, factor: 2, jitter: 0, resetMs: 1_000 };

Deno.test("backoff: mail waits meanwhile, the wait grows, and a good run resets it", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { intensity: 99, backoff }, [
    { id: "a", mailbox: { countMax: 2 } },
    { id: "b" },
  ]);
  seen();
  for (const waitMs of [100, 200, 400, 400]) {
    tell("a", "crash");
    assert.deepEqual([1, 2, 3].map(() => tell("a", "note")), ["accepted", "accepted", "full"]);
    tell("b", "note");
    test.advance(waitMs - 1);
    assert.equal(seen(), "-a failed !b");
    test.advance(1);
    assert.equal(seen(), "+a !a !a");
  }
  test.advance(1_000);
  tell("a", "crash");
  seen();
  test.advance(100);
  assert.equal(seen(), "+a");
  assert.deepEqual(test.events.map(({ delayMs }) => delayMs), [100, 200, 400, 400, 100]);
  await test.stop();
});

Deno.test("a second crash during a group's backoff joins the round", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { strategy: "rest_for_one", backoff }, abc);
  seen();
  tell("c", "crash");
  test.advance(60);
  tell("a", "crash");
  assert.equal(seen(), "-c failed -a failed -b shutdown");
  test.advance(99);
  assert.equal(seen(), "");
  test.advance(1);
  assert.equal(seen(), "+a +b +c");
  await test.stop();
});

Deno.test("a supervisor that stops while a child waits for its restart ends at once", async () => {
  const test = new TestSystem();
  const { tell, seen } = family(test, { backoff }, abc);
  seen();
  tell("b", "crash");
  test.system.stop();
  test.run();
  assert.equal(seen(), "-b failed -c shutdown -a shutdown -sup shutdown");
  assert.equal(await test.system.terminated, undefined);
  assert.equal(test.clock.pending, 0);
});

Deno.test("a child that is stopped while it waits for its restart leaves no timer", async () => {
  const test = new TestSystem({
    supervision: {
      strategy: "one_for_one",
      intensity: 3,
      periodMs: 5_000,
      onExceeded: "stop",
      backoff,
    },
  });
  const ref = test.spawn<string>({
    id: "a",
    start: () => ({
      receive(message) {
        throw new Error(message);
      },
    }),
  });
  ref.tell("crash");
  test.run();
  assert.equal(test.clock.pending, 1);
  test.system.stopActor(ref);
  test.run();
  assert.equal(test.clock.pending, 0);
  await test.stop();
});

Deno.test("children stop one after the other, each within its own deadline", async () => {
  const test = new TestSystem();
  const order: string[] = [];
  const closing = new Map<string, () => void>();
  for (const id of ["a", "b", "c"]) {
    test.spawn<never>({
      id,
      shutdownMs: 100,
      start: () => ({
        receive() {},
        stopped() {
          order.push(id);
          return new Promise<void>((resolve) => closing.set(id, resolve));
        },
      }),
    });
  }
  test.run();
  const ended = test.system.stop();
  test.run();
  assert.deepEqual(order, ["c"]);
  closing.get("c")?.();
  await test.settle();
  assert.deepEqual(order, ["c", "b"]);
  test.advance(99);
  assert.deepEqual(order, ["c", "b"]);
  test.advance(1);
  assert.deepEqual(order, ["c", "b", "a"]);
  closing.get("a")?.();
  await test.settle();
  await ended;
  assert.equal(test.stopFaults.length, 1);
});

// --- A model of OTP's supervisor, written from its documentation, not from our code.

interface ModelChild {
  readonly id: string;
  readonly restart: RestartType;
  alive: boolean;
}

/** `supervisor.erl` in the small: what is started and stopped, in which order. */
class OtpModel {
  readonly log: string[] = [];
  readonly children: ModelChild[];
  up = true;
  #restarts: number[] = [];

  constructor(
    readonly spec: SupervisionSpec,
    children: readonly { readonly id: string; readonly restart: RestartType }[],
  ) {
    this.children = children.map((child) => ({ ...child, alive: true }));
  }

  exit(id: string, reason: "failed" | "completed", nowMs: number): void {
    const child = this.children.find((c) => c.id === id);
    if (!this.up || child === undefined || !child.alive) return;
    const again = child.restart === "permanent" ||
      (child.restart === "transient" && reason === "failed");
    if (!again) {
      this.#stop(child, reason);
      this.#remove(child);
      return;
    }
    this.#restarts = [nowMs, ...this.#restarts.filter((at) => at >= nowMs - this.spec.periodMs)];
    if (this.#restarts.length > this.spec.intensity) {
      this.#stop(child, reason);
      for (const other of [...this.children].reverse()) this.#stop(other, "shutdown");
      this.log.push("-sup failed");
      this.up = false;
      return;
    }
    const from = this.spec.strategy === "one_for_all" ? 0 : this.children.indexOf(child);
    const to = this.spec.strategy === "one_for_one" ? from + 1 : this.children.length;
    const group = this.children.slice(from, to);
    this.#stop(child, reason);
    for (const member of [...group].reverse()) this.#stop(member, "shutdown");
    for (const member of group) {
      if (member.restart === "temporary") this.#remove(member);
      else {
        member.alive = true;
        this.log.push(`+${member.id}`);
      }
    }
  }

  #stop(child: ModelChild, reason: string): void {
    if (child.alive) this.log.push(`-${child.id} ${reason}`);
    child.alive = false;
  }

  #remove(child: ModelChild): void {
    this.children.splice(this.children.indexOf(child), 1);
  }
}

Deno.test("property: a supervisor starts and stops its children as OTP's does", async () => {
  const restarts = fc.array(
    fc.constantFrom<RestartType>("permanent", "transient", "temporary"),
    { minLength: 1, maxLength: 5 },
  );
  const spec = fc.record({
    strategy: fc.constantFrom(
      "one_for_one" as const,
      "one_for_all" as const,
      "rest_for_one" as const,
    ),
    intensity: fc.nat(4),
    periodMs: fc.integer({ min: 1, max: 300 }),
    onExceeded: fc.constant("escalate" as const),
  });
  const step = fc.record({
    waitMs: fc.nat(100),
    child: fc.nat(4),
    deed: fc.constantFrom("crash" as const, "complete" as const),
  });
  await fc.assert(
    fc.asyncProperty(
      restarts,
      spec,
      fc.array(step, { maxLength: 25 }),
      async (types, supervision, steps) => {
        const test = new TestSystem();
        const children = types.map((restart, i) => ({ id: `c${i}`, restart }));
        const model = new OtpModel(supervision, children);
        const { refs, seen } = family(test, supervision, children);
        seen();
        for (const { waitMs, child, deed } of steps) {
          test.advance(waitMs);
          const id = `c${child % children.length}`;
          refs.get(id)?.tell(deed);
          test.run();
          model.exit(id, deed === "crash" ? "failed" : "completed", test.clock.now());
          assert.equal(seen(), model.log.splice(0).join(" "));
        }
        await test.stop();
        assert.equal(test.clock.pending, 0);
      },
    ),
    { numRuns: 300, seed: 5 },
  );
});

Deno.test("property: whatever crashes while others are still stopping, the family settles", async () => {
  const child = fc.record({
    restart: fc.constantFrom<RestartType>("permanent", "transient", "temporary"),
    /** How long `stopped` takes; longer than the deadline of 100 ms for some. */
    stopMs: fc.constantFrom(0, 0, 30, 500),
  });
  const spec = fc.record({
    strategy: fc.constantFrom(
      "one_for_one" as const,
      "one_for_all" as const,
      "rest_for_one" as const,
    ),
    intensity: fc.nat(8),
    periodMs: fc.constant(1_000),
    onExceeded: fc.constantFrom("escalate" as const, "quarantine" as const, "stop" as const),
    backoff: fc.constantFrom({ minMs: 0, maxMs: 0, factor: 1, jitter: 0, resetMs: 1 }, backoff),
  });
  const step = fc.record({
    waitMs: fc.nat(60),
    child: fc.nat(4),
    deed: fc.constantFrom("crash" as const, "complete" as const, "note" as const),
    run: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(child, { minLength: 1, maxLength: 5 }),
      spec,
      fc.array(step, { maxLength: 30 }),
      async (given, supervision, steps) => {
        const test = new TestSystem();
        let live = 0;
        let notes = 0;
        const start = (stopMs: number): ChildSpec<Deed>["start"] => (own) => {
          live++;
          return {
            receive(deed) {
              if (deed === "note") notes++;
              else if (deed === "complete") own.stop(own.self);
              else throw new Error("crash");
            },
            stopped() {
              live--;
              if (stopMs === 0) return;
              return new Promise((resolve) => test.clock.setTimer(stopMs, resolve));
            },
          };
        };
        const { refs } = family(
          test,
          supervision,
          given.map(({ restart, stopMs }, i) => ({
            id: `c${i}`,
            restart,
            shutdownMs: 100,
            start: start(stopMs),
          })),
        );
        let accepted = 0;
        for (const { waitMs, child, deed, run } of steps) {
          const answer = refs.get(`c${child % given.length}`)?.tell(deed);
          if (answer === "accepted" && deed === "note") accepted++;
          if (run) test.run();
          for (let ms = 0; ms < waitMs; ms += 20) {
            test.advance(20);
            await test.settle();
          }
        }
        for (let i = 0; i < 100; i++) {
          test.advance(100);
          await test.settle();
        }
        // Nobody hangs between two lives, and what runs is what the tree says.
        const view = test.system.inspect({ path: "test/sup" });
        const states = (view?.children ?? []).map(({ state }) => state);
        assert.deepEqual(states.filter((s) => s !== "running" && s !== "quarantined"), []);
        assert.equal(live, states.filter((state) => state === "running").length);
        const dead = test.letters.filter(({ message }) => message === "note").length;
        assert.equal(accepted, notes + dead);
        await test.stop();
        // Timers that the test's own slow stops still hold are not the system's.
        test.clock.advance(10_000);
        assert.deepEqual([live, test.clock.pending], [0, 0]);
      },
    ),
    { numRuns: 200, seed: 9 },
  );
});
