import assert from "node:assert/strict";
import { CodeTrace } from "../actors/code_trace.ts";
import { parseConfig } from "../config.ts";
import { type Failure, failureOf } from "../runtime/failure.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import type { FleetEvents } from "../runtime/worker_fleet.ts";
import { dataPaths } from "./data_directory.ts";
import { makePlan } from "./plan.ts";
import { ServiceWorkers } from "./service_workers.ts";
import { SuspectsFile } from "./suspects_file.ts";

const failure: Failure = failureOf(new Error("out of memory"), 0);

/** The Workers of a service without their threads: `events` is what befalls them. */
async function open() {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_workers_" });
  const listen = "127.0.0.1:0";
  const { config } = await parseConfig({ dataDir, mqtt: { listen }, http: { listen } });
  const paths = dataPaths(dataDir);
  const plan = makePlan(config, paths, { shards: 2, salts: [] });
  let events: FleetEvents = {};
  const ids: string[] = [];
  const workers = new ServiceWorkers({
    plan,
    names: new PublishedNames(),
    ready: () => {},
    fleet: (specs, told) => {
      ids.push(...specs.map(({ id }) => id));
      events = told;
      return {
        start: () => new Promise<void>(() => {}),
        stop: () => Promise.resolve(["store"]),
        link: () => undefined,
        views: ids.map((id) => ({ id, state: "failed", restarts: 0 })),
      };
    },
  });
  const done = async () => {
    plan.sessionSockets?.remove();
    await Deno.remove(dataDir, { recursive: true });
  };
  return { workers, events, ids, suspects: new SuspectsFile(paths.suspects), done };
}

/** The code of a device has run in a shard, and has not returned. */
function spins(workers: ServiceWorkers, shard: number, device: string): void {
  new CodeTrace(workers.shards[shard]!.suspects.memory).enter(new TextEncoder().encode(device));
}

Deno.test("HTTP takes readings in as the shards do, and owns no device", async () => {
  const { workers, ids, done } = await open();
  assert.deepEqual(ids, ["shard-0", "shard-1", "http", "store", "history"]);
  assert.deepEqual(workers.takers.map(({ id }) => id), ["shard-0", "shard-1", "http"]);
  assert.deepEqual(workers.shards.map(({ id }) => id), ["shard-0", "shard-1"]);
  assert.equal(workers.view("store")?.state, "failed");
  await done();
});

Deno.test("a start ends with what another try does not mend, and with nothing else", async () => {
  const { workers, events, done } = await open();
  const start = assert.rejects(workers.start(), /^Error: Cannot start shard-1: no such module$/);
  events.down?.("shard-0", failure, false);
  events.down?.("shard-1", { ...failure, name: "RouteError", message: "no such module" }, false);
  await start;
  await done();
});

Deno.test("whose code took a shard down is kept when the service has to end, and not when it is stopped", async () => {
  const { workers, events, suspects, done } = await open();
  spins(workers, 1, "hall~1");
  events.down?.("shard-1", failure, false);
  assert.deepEqual(workers.shards.map(({ suspects }) => suspects.list), [[], ["hall~1"]]);
  assert.deepEqual(suspects.read(), {});
  events.stuck?.("shard-1", failure);
  assert.equal(await workers.failed, failure);
  assert.deepEqual(Object.keys(suspects.read()), ["hall~1"]);
  assert.deepEqual(await workers.stop(), ["store"]);
  assert.deepEqual(Object.keys(suspects.read()), ["hall~1"]);
  await done();
});

Deno.test("a service that is stopped forgets whose code it did not run", async () => {
  const { workers, events, suspects, done } = await open();
  spins(workers, 0, "hall~1");
  events.down?.("shard-0", failure, false);
  suspects.write(workers.shards.map(({ suspects }) => suspects));
  await workers.stop();
  assert.deepEqual(suspects.read(), {});
  await done();
});
