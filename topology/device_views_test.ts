import assert from "node:assert/strict";
import { fnv1a } from "../actors/device_changes.ts";
import { DeviceDirectory } from "../actors/device_directory.ts";
import { deviceTools } from "../actors/testing/readings.ts";
import { ManualClock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { DeviceViews } from "./device_views.ts";

/** A shard's devices; `seen` is a reading of one. */
function open() {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  const tools = deviceTools();
  const directory = new DeviceDirectory(tools, {
    silentAfterMs: 5_000,
    offlineAfterMs: 10_000,
    knownMax: 1_000,
    now: () => time.now(),
  });
  const quarantined = new Set<string>();
  const waitsMs = new Map<string, number>();
  const views = new DeviceViews({
    shard: 1,
    directory,
    time,
    isQuarantined: (id) => quarantined.has(id),
    waitMs: (id) => waitsMs.get(id) ?? 0,
  });
  const seen = (id: string) => {
    const device = directory.activate(id);
    device.lastSeenMs = time.now();
    device.changeNo = tools.changes.next(time.now());
    return device;
  };
  return { clock, quarantined, waitsMs, views, seen };
}

const all = { since: 0, device: "", prefix: "" };

Deno.test("a device is told of as it is now, by the wall clock as it is now", () => {
  const { clock, quarantined, waitsMs, views, seen } = open();
  seen("hall~1").accepted = 7;
  seen("hall~2");
  quarantined.add("hall~2");
  waitsMs.set("hall~2", 1.5);
  clock.setBy(3_600_000);
  const plain = {
    shard: 1,
    presence: "online",
    lastSeenMs: clock.now(),
    values: {},
    counters: { accepted: 0, duplicate: 0, refused: 0, dead_lettered: 0 },
  };
  assert.deepEqual(views.find("hall~1"), {
    ...plain,
    id: "hall~1",
    counters: { ...plain.counters, accepted: 7 },
  });
  const held = { ...plain, id: "hall~2", limitedForMs: 2, quarantined: true };
  assert.deepEqual(views.list({ limit: 10, quarantined: true }), { items: [held] });
  assert.equal(views.find("hall~3"), undefined);
  assert.deepEqual(views.presence(), { online: 2, silent: 0, offline: 0 });
});

Deno.test("an answer about changes that no message could hold ends, and the next one goes on there", () => {
  const { views, seen } = open();
  const ids = Array.from({ length: 10 }, (_, i) => `d${i}`);
  for (const id of ids) {
    seen(id).lastError = { reason: "malformed", detail: "x".repeat(40_000), atMs: 0 };
  }
  const told: string[][] = [];
  for (let since = 0, more = true; more;) {
    const answer = views.changes({ ...all, since });
    told.push(answer.devices.map(({ id }) => id));
    ({ until: since, more } = answer);
  }
  assert.deepEqual(told.map(({ length }) => length), [4, 4, 2]);
  assert.deepEqual(told.flat(), ids);
});

Deno.test("the tally is of the devices that are asked for, in whatever order they came", () => {
  const { views, seen } = open();
  for (const id of ["b~2", "a~1", "b~1"]) seen(id);
  const having: string[] = [];
  assert.deepEqual(views.changes({ ...all, prefix: "b", having }).tally, {
    devices: 2,
    checksum: (fnv1a("b~1") ^ fnv1a("b~2")) >>> 0,
  });
  const one = views.changes({ ...all, device: "a~1", having });
  assert.deepEqual(one.tally, { devices: 1, checksum: fnv1a("a~1") });
  assert.deepEqual(one.devices.map(({ id }) => id), ["a~1"]);
  assert.equal(views.changes({ ...all, having: ["temperature"] }).tally?.devices, 0);
  assert.equal(views.changes(all).tally, undefined);
});
