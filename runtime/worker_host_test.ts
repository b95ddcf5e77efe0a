import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import { DeadLetters } from "./dead_letters.ts";
import { PublishedNames } from "./remote_names.ts";
import { WorkerHost, type WorkerHostOptions } from "./worker_host.ts";
import type { HostMessage } from "./worker_protocol.ts";
import type { WorkerHandle, WorkerSpec } from "./worker_spec.ts";
import { silentFailure } from "./worker_thread.ts";

class FakeWorker implements WorkerHandle {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly heard: HostMessage["kind"][] = [];
  readonly boots: unknown[] = [];
  terminated = false;

  postMessage(message: HostMessage): void {
    this.heard.push(message.kind);
    if (message.kind === "boot") this.boots.push([message.incarnation, message.init]);
  }

  terminate(): void {
    this.terminated = true;
  }

  say(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  becomeReady(): void {
    this.say({ kind: "loaded" });
    this.say({ kind: "ready" });
  }
}

function hosted(
  options: Partial<WorkerHostOptions> = {},
  init: (incarnation: number) => unknown = (incarnation) => `init ${incarnation}`,
  spec: Pick<WorkerSpec, "threadEnded" | "silenceMs"> = {},
) {
  const clock = new ManualClock();
  const workers: FakeWorker[] = [];
  const events: string[] = [];
  const failures: string[] = [];
  const host = new WorkerHost(
    {
      id: "shard-0",
      create: () => {
        const worker = new FakeWorker();
        workers.push(worker);
        return worker;
      },
      init,
      ...spec,
    },
    {
      names: new PublishedNames(),
      deadLetters: new DeadLetters(),
      clock,
      random: () => 0,
      readyMs: 1000,
      heartbeatMs: 100,
      silenceMs: 500,
      supervision: {
        strategy: "one_for_one",
        intensity: 2,
        periodMs: 10_000,
        backoff: { minMs: 100, maxMs: 1000, factor: 2, jitter: 0, resetMs: 5000 },
        onExceeded: "escalate",
      },
      ...options,
    },
    {
      booting: () => events.push("booting"),
      ready: () => events.push("ready"),
      slow: (_, { stage }) => events.push(`slow: ${stage}`),
      down: (host, failure) => {
        events.push(`down ${host.state}`);
        failures.push(failure.message);
      },
      stuck: (host) => events.push(`stuck ${host.state}`),
    },
  );
  const latest = () => workers[workers.length - 1]!;
  return { host, clock, workers, latest, events, failures };
}

const failed = (message: string) => ({
  kind: "failed",
  failure: { name: "Error", message, atMs: 1 },
});

Deno.test("a Worker is booted when it hears, and is ready when it says so", async () => {
  const { host, workers, latest, events, clock } = hosted();
  host.start();
  assert.equal(host.state, "starting");
  assert.deepEqual(latest().heard, []);
  latest().say({ kind: "loaded" });
  assert.deepEqual(latest().boots, [[0, "init 0"]]);
  latest().say({ kind: "ready" });
  assert.deepEqual(events, ["booting", "ready"]);
  assert.throws(() => host.start(), /it is ready/);
  const stopped = host.stop(1000);
  assert.equal(latest().heard.at(-1), "stop");
  latest().say({ kind: "stopped" });
  assert.equal(await stopped, "stopped");
  assert.equal(host.state, "stopped");
  assert.equal(latest().terminated, true);
  assert.equal(workers.length, 1);
  assert.equal(clock.pending, 0);
});

Deno.test("one that is not ready in time is started anew", () => {
  const { host, workers, failures, clock } = hosted();
  host.start();
  clock.advance(999);
  assert.equal(host.state, "starting");
  clock.advance(1);
  assert.equal(host.state, "waiting");
  assert.match(failures[0]!, /not ready within 1000 ms/);
  assert.equal(workers[0]!.terminated, true);
  clock.advance(100);
  assert.equal(workers.length, 2);
  void host.stop(1);
  clock.advance(1);
});

Deno.test("a thread that does not load is started anew, and given twice as long each time", () => {
  const { host, workers, latest, failures, clock } = hosted({ loadMs: 200 });
  host.start();
  clock.advance(200);
  assert.deepEqual([host.state, workers[0]!.terminated], ["waiting", true]);
  clock.advance(100 + 399);
  assert.deepEqual([host.state, workers.length], ["starting", 2]);
  latest().becomeReady();
  assert.equal(host.state, "ready");
  assert.deepEqual(failures, ["shard-0 had not loaded its code after 200 ms"]);
  // One that did load forgets it.
  clock.advance(500);
  clock.advance(1_000);
  assert.equal(workers.length, 3);
  void host.stop(1);
  clock.advance(1);
  assert.equal(clock.pending, 0);
});

Deno.test("a start that takes long is told of, and one that falls silent in it says where", () => {
  const { host, latest, events, failures, clock } = hosted({ slowMs: 50 });
  host.start();
  clock.advance(50);
  latest().say({ kind: "loaded" });
  latest().say({ kind: "stage", stage: "its spool is read" });
  clock.advance(50);
  assert.deepEqual(events, [
    "slow: its code is being loaded",
    "booting",
    "slow: its spool is read",
  ]);
  clock.advance(450);
  assert.deepEqual(failures, [
    "shard-0 gave no sign of life for 500 ms, in its start: its spool is read",
  ]);
  void host.stop(1);
  clock.advance(1);
});

Deno.test("one that falls silent is ended and started anew", () => {
  const { host, latest, workers, clock } = hosted();
  host.start();
  latest().becomeReady();
  for (let i = 0; i < 20; i++) {
    clock.advance(100);
    latest().say({ kind: "heartbeat" });
  }
  assert.equal(host.state, "ready");
  clock.advance(500);
  assert.equal(host.state, "waiting");
  assert.equal(workers[0]!.terminated, true);
  assert.equal(host.view.lastFailure?.name, silentFailure);
  clock.advance(100);
  latest().becomeReady();
  assert.deepEqual(latest().boots, [[1, "init 1"]]);
  assert.equal(host.view.restarts, 1);
  void host.stop(1);
  clock.advance(1);
});

Deno.test("one that falls silent is started anew when its thread ended, else given up on; one that fails is not asked", async () => {
  let asked = Promise.withResolvers<boolean>();
  const { host, latest, workers, clock, events } = hosted({}, undefined, {
    threadEnded: () => asked.promise,
  });
  host.start();
  latest().becomeReady();
  latest().say(failed("once"));
  clock.advance(100);
  latest().becomeReady();
  assert.equal(host.state, "ready");
  clock.advance(500);
  assert.deepEqual([host.state, host.view.lastFailure?.name], ["waiting", silentFailure]);
  clock.advance(60_000);
  assert.equal(workers.length, 2); // It is not known yet.
  asked.resolve(true);
  await asked.promise;
  await Promise.resolve();
  clock.advance(1_000);
  assert.equal(workers.length, 3);
  latest().becomeReady();
  asked = Promise.withResolvers();
  clock.advance(500);
  asked.reject(new Error("cannot tell"));
  await asked.promise.catch(() => {});
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([host.state, events.at(-1)], ["failed", "stuck failed"]);
  assert.deepEqual([latest().terminated, workers.length, clock.pending], [true, 3, 0]);
});

Deno.test("an error event is the end of that thread, not of the process", () => {
  const { host, latest, failures, clock } = hosted();
  host.start();
  latest().becomeReady();
  const error = new ErrorEvent("error", { message: "Uncaught boom", cancelable: true });
  latest().onerror?.(error);
  assert.equal(error.defaultPrevented, true);
  assert.deepEqual(failures, ["Uncaught boom"]);
  assert.equal(host.link, undefined);
  void host.stop(1);
  assert.equal(host.state, "stopped");
  assert.equal(clock.pending, 0);
});

Deno.test("what a thread says after its end is not heard", () => {
  const { host, workers, clock, events } = hosted();
  host.start();
  const first = workers[0]!;
  const say = first.onmessage;
  first.say(failed("one"));
  say?.(new MessageEvent("message", { data: failed("late") }));
  assert.deepEqual(events, ["down waiting"]);
  void host.stop(1);
  assert.equal(clock.pending, 0);
});

for (const data of ["nonsense", { kind: "stopped" }]) {
  Deno.test(`a Worker that says ${JSON.stringify(data)} unasked has failed`, () => {
    const { host, latest, clock } = hosted();
    host.start();
    latest().becomeReady();
    latest().say(data);
    assert.equal(host.state, "waiting");
    void host.stop(1);
    assert.equal(clock.pending, 0);
  });
}

Deno.test("restarts back off, and too many within the period are given up on", () => {
  const { host, latest, workers, clock, events } = hosted();
  host.start();
  latest().say(failed("one"));
  clock.advance(99);
  assert.equal(workers.length, 1);
  clock.advance(1);
  assert.equal(workers.length, 2);
  latest().say(failed("two"));
  clock.advance(199);
  assert.equal(workers.length, 2);
  clock.advance(1);
  latest().say(failed("three"));
  assert.equal(host.state, "failed");
  assert.deepEqual(events, ["down waiting", "down waiting", "down failed"]);
  clock.advance(100_000);
  assert.equal(workers.length, 3);
  assert.equal(host.view.lastFailure?.message, "three");
});

Deno.test("a Worker may say that it is silent for longer than others", () => {
  const { host, latest, clock } = hosted({}, undefined, { silenceMs: 3_000 });
  host.start();
  latest().becomeReady();
  clock.advance(2_999);
  assert.equal(latest().terminated, false);
  clock.advance(1);
  assert.equal(latest().terminated, true);
  void host.stop(1);
  clock.advance(1);
});

Deno.test("a Worker that ran well for long starts again at the shortest wait", () => {
  const { host, latest, workers, clock } = hosted({ silenceMs: 1_000_000 });
  host.start();
  for (const waitMs of [100, 200]) {
    latest().say(failed("again"));
    clock.advance(waitMs);
  }
  assert.equal(workers.length, 3);
  latest().becomeReady();
  clock.advance(20_000);
  latest().say(failed("after long"));
  clock.advance(100);
  assert.equal(workers.length, 4);
  void host.stop(1);
  clock.advance(1);
});

Deno.test("one that does not stop by its deadline is killed", async () => {
  const { host, latest, clock } = hosted({ silenceMs: 10_000 });
  host.start();
  latest().becomeReady();
  const stopped = host.stop(300);
  clock.advance(300);
  assert.equal(await stopped, "killed");
  assert.equal(latest().terminated, true);
  assert.equal(clock.pending, 0);
});

Deno.test("one that fails while it stops was killed; one that waits to restart just stops", async () => {
  const { host, latest } = hosted();
  host.start();
  latest().becomeReady();
  const stopped = host.stop(300);
  latest().say(failed("while stopping"));
  assert.equal(await stopped, "killed");

  const other = hosted();
  other.host.start();
  other.latest().say(failed("one"));
  assert.equal(await other.host.stop(300), "stopped");
  assert.equal(other.clock.pending, 0);
  assert.equal(other.workers.length, 1);
});

Deno.test("a thread that cannot be made is the Worker's failure, at each start", () => {
  const failures: string[] = [];
  const clock = new ManualClock();
  const fake = new FakeWorker();
  let tries = 0;
  const create = () => {
    if (++tries < 3) throw new Error(`no thread ${tries}`);
    return fake;
  };
  const host = new WorkerHost(
    { id: "shard-0", create, init: () => undefined },
    { names: new PublishedNames(), deadLetters: new DeadLetters(), clock, random: () => 0 },
    {
      booting() {},
      ready() {},
      slow() {},
      stuck() {},
      down: (_, { message }) => void failures.push(message),
    },
  );
  host.start();
  assert.equal(host.state, "waiting");
  clock.advance(1_000);
  assert.deepEqual([failures, host.state], [["no thread 1", "no thread 2"], "starting"]);
  fake.becomeReady();
  assert.equal(host.state, "ready");
  void host.stop(1);
  fake.say({ kind: "stopped" });
});

Deno.test("an init that throws is the Worker's failure, not the host's", () => {
  const { host, latest, failures } = hosted({}, () => {
    throw new Error("no such configuration");
  });
  host.start();
  latest().say({ kind: "loaded" });
  assert.equal(host.state, "waiting");
  assert.deepEqual(failures, ["no such configuration"]);
  void host.stop(1);
});
