import assert from "node:assert/strict";
import { DeadLetters } from "./dead_letters.ts";
import type { Failure } from "./failure.ts";
import { PublishedNames } from "./remote_names.ts";
import type { Order } from "./testing/serve_entry.ts";
import { WorkerFleet } from "./worker_fleet.ts";
import type { WorkerHostOptions } from "./worker_host.ts";
import { silentFailure } from "./worker_thread.ts";

/** What a fleet told, to be waited for instead of slept for. */
class Diary {
  readonly lines: string[] = [];
  readonly failures: Failure[] = [];
  #waiting: { readonly line: string; readonly found: () => void }[] = [];

  write(line: string): void {
    this.lines.push(line);
    for (const { line: wanted, found } of this.#waiting) if (wanted === line) found();
    this.#waiting = this.#waiting.filter(({ line: wanted }) => wanted !== line);
  }

  /** The next time that `line` is written. */
  next(line: string): Promise<void> {
    return new Promise((found) => this.#waiting.push({ line, found }));
  }
}

function fleetOf(ids: readonly string[], options: Partial<WorkerHostOptions> = {}, init?: string) {
  const diary = new Diary();
  const fleet = new WorkerFleet(
    ids.map((id) => ({
      id,
      create: () =>
        new Worker(new URL("./testing/serve_entry.ts", import.meta.url), {
          type: "module",
          name: id,
        }),
      init: () => init,
    })),
    {
      names: new PublishedNames(),
      readyMs: 60_000, // `deno test` checks the types of each Worker first
      loadMs: 60_000,
      deadLetters: new DeadLetters(),
      supervision: {
        strategy: "one_for_one",
        intensity: 2,
        periodMs: 60_000,
        onExceeded: "escalate",
      },
      ...options,
    },
    {
      ready: (id) => diary.write(`${id} ready`),
      down: (id, failure, final) => {
        diary.failures.push(failure);
        diary.write(`${id} down${final ? " for good" : ""}`);
      },
    },
  );
  const linkTo = (id: string) => {
    const link = fleet.link(id);
    assert.ok(link !== undefined, `${id} has no link`);
    return link;
  };
  const tell = (id: string, order: Order) => linkTo(id).ref<Order>("orders").tell(order);
  const ask = (id: string, make: (replyTo: (Order & { kind: "echo" })["replyTo"]) => Order) =>
    linkTo(id).ask(linkTo(id).ref<Order>("orders"), make, {
      deadlineMs: 60_000,
      parse: (reply) => reply,
    });
  /** Asks until `id` is linked to exactly `peers`. */
  const linkedTo = async (id: string, peers: readonly string[]) => {
    for (;;) {
      const reply = await ask(id, (replyTo) => ({ kind: "peers", replyTo }));
      if (JSON.stringify(reply) === JSON.stringify(peers)) return;
    }
  };
  return { fleet, diary, tell, ask, linkedTo };
}

Deno.test("Workers start, are linked to each other, answer, and stop", async () => {
  const { fleet, diary, ask, linkedTo } = fleetOf(["a", "b", "c"]);
  await fleet.start();
  assert.deepEqual(diary.lines.toSorted(), ["a ready", "b ready", "c ready"]);
  await linkedTo("a", ["b", "c"]);
  const reply = await ask("a", (replyTo) => ({
    kind: "via",
    peer: "b",
    order: { kind: "echo", value: [1, "ü", null], replyTo },
  }));
  assert.deepEqual(reply, { from: "b", incarnation: 0, value: [1, "ü", null] });
  assert.deepEqual(await fleet.stop(5_000), []);
  assert.ok(fleet.views.every(({ state }) => state === "stopped"));
});

for (const [kind, message] of [["throw", /told to throw/], ["reject", /told to reject/]] as const) {
  Deno.test(`a Worker that dies of a ${kind} is started anew and linked again; others go on`, async () => {
    const { fleet, diary, tell, ask, linkedTo } = fleetOf(["a", "b"]);
    await fleet.start();
    await linkedTo("a", ["b"]);
    const again = diary.next("b ready");
    tell("b", { kind });
    await again;
    assert.match(diary.failures[0]!.message, message);
    assert.match(diary.failures[0]!.stack ?? "", /serve_entry\.ts/);
    await linkedTo("a", ["b"]);
    const reply = await ask("a", (replyTo) => ({
      kind: "via",
      peer: "b",
      order: { kind: "echo", value: 1, replyTo },
    }));
    assert.deepEqual(reply, { from: "b", incarnation: 1, value: 1 });
    assert.deepEqual(fleet.views.map(({ restarts }) => restarts), [0, 1]);
    await fleet.stop(5_000);
  });
}

for (const kind of ["exit", "spin"] as const) {
  Deno.test(`a Worker that is silent after a ${kind} is started anew`, async () => {
    const { fleet, diary, tell, linkedTo } = fleetOf(["a", "b"], {
      heartbeatMs: 20,
      silenceMs: 400,
    });
    await fleet.start();
    const again = diary.next("b ready");
    tell("b", { kind });
    await again;
    assert.equal(diary.failures[0]?.name, silentFailure);
    await linkedTo("a", ["b"]);
    await fleet.stop(5_000);
  });
}

Deno.test("a Worker that cannot start is given up on, and the start of the fleet fails", async () => {
  const { fleet, diary } = fleetOf(["a"], {}, "refuse");
  await assert.rejects(fleet.start(), /Cannot start a: told to refuse/);
  assert.deepEqual(diary.lines, ["a down", "a down", "a down for good"]);
  assert.deepEqual(await fleet.stop(1_000), []);
});

Deno.test("a start that is cut short by a stop ends", async () => {
  const { fleet } = fleetOf(["a"]);
  const started = assert.rejects(fleet.start(), /told to stop/);
  assert.deepEqual(await fleet.stop(5_000), []);
  await started;
});

Deno.test("names of Workers are their own", () => {
  for (const ids of [["host"], ["a", "a"]]) assert.throws(() => fleetOf(ids), /the name is taken/);
});
