import assert from "node:assert/strict";
import { DeadLetters } from "../../runtime/dead_letters.ts";
import { PublishedNames } from "../../runtime/remote_names.ts";
import { WorkerFleet } from "../../runtime/worker_fleet.ts";
import type { WorkerSpec } from "../../runtime/worker_spec.ts";
import { askHistory } from "./history_service.ts";
import type { Order } from "./testing/writing_worker_entry.ts";

function spec(id: string, file: string, init: unknown): WorkerSpec {
  const entry = new URL(file, import.meta.url);
  return {
    id,
    create: () => new Worker(entry, { type: "module", name: id }),
    init: () => init,
  };
}

/** Has the writing Worker write a line; the kind of the answer. */
function write(fleet: WorkerFleet, line: string): Promise<unknown> {
  const link = fleet.link("writing")!;
  return link.ask(link.ref<Order>("orders"), (replyTo) => ({ line, replyTo }), {
    deadlineMs: 60_000,
    parse: (answer) =>
      typeof answer === "object" && answer !== null && "kind" in answer && answer.kind,
  });
}

Deno.test("a shard writes to the store's Worker, before and after that was started anew", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sluice_workers_" });
  const init = { path: `${dir}/store.db`, log: { level: "error", format: "text" } };
  const restarted = Promise.withResolvers<void>();
  const fleet = new WorkerFleet(
    [
      spec("store", "./store_worker.ts", init),
      spec("history", "./history_worker.ts", init),
      spec("writing", "./testing/writing_worker_entry.ts", undefined),
    ],
    { names: new PublishedNames(), deadLetters: new DeadLetters() },
    {
      ready: (id, _link) => {
        if (id === "store" && fleet.views.some((view) => view.id === id && view.restarts > 0)) {
          restarted.resolve();
        }
      },
    },
  );
  await fleet.start();
  try {
    assert.equal(await write(fleet, "m v=1 1\n"), "stored");
    const orders = fleet.link("writing")!.ref<Order>("orders");
    const nobody = { path: "nobody", tell: () => "stopped" as const };
    assert.equal(orders.tell({ line: undefined, replyTo: nobody }), "accepted");
    await restarted.promise;
    // The link to the new one may be on its way yet.
    let answer: unknown = "retry";
    while (answer === "retry") answer = await write(fleet, "m v=2 2\n");
    assert.equal(answer, "stored");
    const history = await askHistory(fleet.link("history")!, new Map([["device", "d"]]));
    assert.ok(history.kind === "page");
    assert.deepEqual(history.page.items.map(({ value }) => value), [1, 2]);
  } finally {
    assert.deepEqual(await fleet.stop(5_000), []);
    await Deno.remove(dir, { recursive: true });
  }
});
