import assert from "node:assert/strict";
import { ManualClock } from "./clock.ts";
import type { Link } from "./remote_link.ts";
import { type HostMessage, type WorkerMessage } from "./worker_protocol.ts";
import {
  serveWorker,
  type WorkerBoot,
  type WorkerProgram,
  type WorkerScope,
} from "./worker_serve.ts";

class FakeScope extends EventTarget implements WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly said: WorkerMessage[] = [];
  closed = false;

  postMessage(message: WorkerMessage): void {
    this.said.push(message);
  }

  close(): void {
    this.closed = true;
  }

  hear(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }
}

function served(start: (boot: WorkerBoot) => WorkerProgram | Promise<WorkerProgram>) {
  const scope = new FakeScope();
  const clock = new ManualClock();
  const far: MessagePort[] = [];
  serveWorker(start, scope, clock);
  const port = () => {
    const { port1, port2 } = new MessageChannel();
    far.push(port2);
    return port1;
  };
  const boot = async () => {
    const message: HostMessage = {
      kind: "boot",
      id: "shard-0",
      incarnation: 2,
      heartbeatMs: 100,
      init: { a: 1 },
      port: port(),
    };
    scope.hear(message);
    await turns();
  };
  const kinds = () => scope.said.map(({ kind }) => kind);
  const close = () => {
    for (const end of far) end.close();
  };
  return { scope, clock, boot, port, kinds, close };
}

/** Lets the promises in hand settle. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("it hears before it says so, starts the program, then is ready and shows life", async () => {
  const boots: WorkerBoot[] = [];
  const { scope, clock, boot, kinds, close } = served((boot) => {
    boots.push(boot);
    return {};
  });
  assert.ok(scope.onmessage !== null);
  assert.deepEqual(kinds(), ["loaded"]);
  await boot();
  assert.deepEqual(kinds(), ["loaded", "heartbeat", "ready"]);
  const { id, incarnation, init, host } = boots[0]!;
  assert.deepEqual([id, incarnation, init], ["shard-0", 2, { a: 1 }]);
  assert.equal(host.opened, true);
  clock.advance(250);
  assert.deepEqual(kinds().slice(3), ["heartbeat", "heartbeat"]);
  scope.hear({ kind: "stop" });
  await turns();
  assert.equal(kinds().at(-1), "stopped");
  assert.equal(scope.closed, true);
  assert.equal(clock.pending, 0);
  close();
});

Deno.test("it says what its start is at", async () => {
  const { boot, scope, close } = served(({ stage }) => {
    stage("its spool is read");
    return {};
  });
  await boot();
  assert.deepEqual(scope.said.filter(({ kind }) => kind === "stage"), [
    { kind: "stage", stage: "its spool is read" },
  ]);
  scope.hear({ kind: "stop" });
  await turns();
  close();
});

Deno.test("it is alive while the start waits, and not ready", async () => {
  const started = Promise.withResolvers<WorkerProgram>();
  const { scope, clock, boot, kinds, close } = served(() => started.promise);
  await boot();
  clock.advance(100);
  assert.deepEqual(kinds(), ["loaded", "heartbeat", "heartbeat"]);
  started.resolve({});
  await turns();
  assert.equal(kinds().at(-1), "ready");
  scope.hear({ kind: "stop" });
  await turns();
  close();
});

Deno.test("a stop during the start waits for the program, and then stops it", async () => {
  const started = Promise.withResolvers<WorkerProgram>();
  let stops = 0;
  const { scope, boot, kinds, close } = served(() => started.promise);
  await boot();
  scope.hear({ kind: "stop" });
  await turns();
  assert.equal(scope.closed, false);
  started.resolve({ stop: () => void stops++ });
  await turns();
  assert.equal(stops, 1);
  assert.equal(kinds().at(-1), "stopped");
  close();
});

Deno.test("links come and go, and a new one to the same peer replaces the old", async () => {
  const links: Link[] = [];
  const lost: string[] = [];
  const { scope, boot, port, close } = served(() => ({
    linked(link) {
      links.push(link);
      link.open({ lost: (cause) => lost.push(`${link.peer}: ${cause}`) });
    },
  }));
  await boot();
  scope.hear({ kind: "link", peer: "shard-1", port: port() });
  scope.hear({ kind: "unlink", peer: "shard-1", reason: "crashed" });
  scope.hear({ kind: "link", peer: "shard-1", port: port() });
  scope.hear({ kind: "link", peer: "shard-1", port: port() });
  assert.equal(links.length, 3);
  assert.deepEqual(lost, ["shard-1: Error: crashed", "shard-1: Error: shard-1 was started anew"]);
  scope.hear({ kind: "stop" });
  await turns();
  assert.equal(lost.length, 3);
  close();
});

for (
  const [name, start] of [
    ["throws", () => {
      throw new Error("no disk");
    }],
    ["rejects", () => Promise.reject(new Error("no disk"))],
  ] as const
) {
  Deno.test(`a start that ${name} is a failure that the host hears`, async () => {
    const { scope, boot, clock, close } = served(start);
    await boot();
    const last = scope.said.at(-1);
    assert.ok(last?.kind === "failed");
    assert.equal(last.failure.message, "no disk");
    assert.ok(last.failure.stack !== undefined);
    assert.equal(scope.closed, true);
    assert.equal(clock.pending, 0);
    close();
  });
}

Deno.test("what nobody caught ends the Worker, and is told once", async () => {
  const { scope, boot, kinds, close } = served(() => ({}));
  await boot();
  const error = new ErrorEvent("error", { error: new Error("uncaught"), cancelable: true });
  scope.dispatchEvent(error);
  assert.equal(error.defaultPrevented, true);
  const promise = Promise.reject(new Error("later"));
  promise.catch(() => {});
  scope.dispatchEvent(
    new PromiseRejectionEvent("unhandledrejection", { promise, reason: new Error("later") }),
  );
  assert.deepEqual(kinds().filter((kind) => kind === "failed"), ["failed"]);
  close();
});

Deno.test("a stop that fails is a failure", async () => {
  const { scope, boot, kinds, close } = served(() => ({
    stop: () => Promise.reject(new Error("cannot flush")),
  }));
  await boot();
  scope.hear({ kind: "stop" });
  await turns();
  assert.equal(kinds().at(-1), "failed");
  close();
});
