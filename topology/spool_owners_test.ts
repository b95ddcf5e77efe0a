import assert from "node:assert/strict";
import { Device } from "../actors/device.ts";
import { restoreDevice, saveDevice } from "../actors/device_saved.ts";
import { hashText } from "../actors/fingerprint.ts";
import { diskFiles } from "../actors/segment_log/disk_files.ts";
import { SegmentLog } from "../actors/segment_log/segment_log.ts";
import { CommitGroup } from "../actors/spool/commit_group.ts";
import { readingsKind, sealGroup } from "../actors/spool/record.ts";
import { Spool } from "../actors/spool/spool.ts";
import { deviceTools } from "../actors/testing/readings.ts";
import { parseConfig } from "../config.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import { ManualClock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { type DataPaths, dataPaths, orphansOf } from "./data_directory.ts";
import type { HandoverLimits } from "./limits.ts";
import { settleOwners } from "./spool_owners.ts";

const ids = Array.from({ length: 12 }, (_, i) => `hall~${i}`);
const ownerOf = (id: string, shards: number): number => hashText(id) % shards;

/** A data directory, and lives of a service that all end with a kill before anything is saved. */
async function directory(limits: Partial<HandoverLimits> = {}, activeMax?: number) {
  const root = await Deno.makeTempDir({ prefix: "sluice_owners_" });
  const paths = dataPaths(root);
  const clock = new ManualClock();
  const { config } = await parseConfig({ dataDir: root, device: { activeMax } });
  let opened = 0;
  const damaged = { path: "" };
  const files = {
    ...diskFiles,
    open(path: string) {
      opened++;
      if (path === damaged.path) throw new Error("Input/output error");
      return diskFiles.open(path);
    },
  };
  await Deno.mkdir(paths.spool);
  return {
    paths,
    clock,
    /** Cannot be opened. */
    damaged,
    /** Files opened to be read, so far. */
    opened: () => opened,
    start: async (shards: number, statesLost = false) => {
      const owners = await settleOwners({
        config,
        paths,
        files,
        clock,
        shards,
        statesLost,
        limits,
      });
      return owners.shards;
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Readings of every device, in the spool of its owner, with fingerprints from `lo` to `last`. */
async function commitReadings(
  paths: DataPaths,
  clock: ManualClock,
  shards: number,
  lo: number,
  last = lo,
) {
  for (let shard = 0; shard < shards; shard++) {
    const group = new CommitGroup();
    for (const id of ids.filter((id) => ownerOf(id, shards) === shard)) {
      const device = { id, groupNo: 0, slot: 0 };
      for (let reading = lo; reading <= last; reading++) {
        group.lines.appendText("x");
        group.add(device, 1, reading);
      }
    }
    const { count } = group;
    if (count === 0) continue;
    const { frame } = sealGroup(group, clock.now());
    const { log } = await SegmentLog.open({
      files: diskFiles,
      directory: `${paths.spool}/${shard}`,
      segmentBytes: 1_000_000,
      now: () => clock.now(),
      random32: () => lo * 1_000 + shard,
    }, () => {});
    await log.commit(frame, readingsKind, count);
    log.close();
  }
}

/** What the shards of today take over of the others. */
async function adopt({ spool }: DataPaths, clock: ManualClock, shards: number) {
  for (const [shard, orphans] of orphansOf(spool, shards).entries()) {
    await Spool.open({
      files: diskFiles,
      clock,
      time: new SteadyTime(clock),
      directory: `${spool}/${shard}`,
      orphans,
      bytesMax: 1 << 30,
      keepMs: 0,
      random32: () => 0,
      events: {
        committed() {},
        lost: () => assert.fail("nothing is lost"),
        stalled: (_reason, detail) => assert.fail(detail),
        resumed() {},
        trouble: (_action, cause) => assert.fail(String(cause)),
      },
      live: () => true,
    }, () => {});
  }
}

/** The readings that are known of each device, of those with fingerprints from 1 to `last`. */
function known(paths: DataPaths, last: number): Map<string, number> {
  const states = new DeviceStates(paths.devices);
  const tools = deviceTools();
  const counts = [...states.all()].map(([id, saved]): [string, number] => {
    const { window } = restoreDevice(id, saved, tools, 0);
    const all = Array.from({ length: last }, (_, i) => i + 1);
    return [id, all.filter((lo) => window?.has(1, lo)).length];
  });
  states.close();
  return new Map(counts);
}

const allKnow = (readings: number) => new Map(ids.toSorted().map((id) => [id, readings]));

Deno.test("whatever the number of shards, today's owners know what yesterday's spools hold", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  let readings = 0;
  for (const shards of [2, 3, 3, 1, 2]) {
    const before = readings;
    assert.equal(await data.start(shards), shards);
    // With the same number of shards each finds its own in its spool: nothing is read twice.
    if (readings !== 2) {
      assert.deepEqual(known(paths, before), before ? allKnow(before) : new Map());
    }
    await commitReadings(paths, clock, shards, ++readings);
    clock.advance(100);
  }
  assert.equal(await data.start(3), 3);
  assert.deepEqual(known(paths, readings), allKnow(readings));
});

Deno.test("the newest are known, whatever lay around of older ones in whose spool", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  const perLife = 200;
  let last = 0;
  for (const shards of [2, 3, 1, 2, 1, 3]) {
    assert.equal(await data.start(shards), shards);
    await adopt(paths, clock, shards);
    await commitReadings(paths, clock, shards, last + 1, last += perLife);
    clock.advance(20_000);
  }
  assert.equal(await data.start(2), 2);
  const states = new DeviceStates(paths.devices);
  const tools = deviceTools();
  for (const id of ids) {
    const { window } = restoreDevice(id, states.get(id) ?? "", tools, clock.now());
    for (let lo = last - perLife + 1; lo <= last; lo++) {
      assert.ok(window?.has(1, lo), `${id} ${lo}`);
    }
  }
  states.close();
});

Deno.test("what was saved of a device is kept, and what the spools tell is added", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  await data.start(1);
  const tools = deviceTools();
  const device = new Device(ids[0]!, tools);
  device.accepted = 7;
  device.remember(1, 9, clock.now());
  const states = new DeviceStates(paths.devices);
  states.save([[device.id, saveDevice(device, clock.now())], [ids[1]!, "no device"]]);
  states.close();
  await commitReadings(paths, clock, 1, 1);
  assert.equal(await data.start(2), 2);
  const saved = new DeviceStates(paths.devices);
  const restored = restoreDevice(device.id, saved.get(device.id) ?? "", tools, clock.now());
  assert.equal(restored.accepted, 7);
  assert.ok(restored.window?.has(1, 9) && restored.window.has(1, 1));
  assert.ok(restoreDevice(ids[1]!, saved.get(ids[1]!) ?? "", tools, 0).window?.has(1, 1));
  saved.close();
});

Deno.test("while that cannot be written, the number of shards stays as it was", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  assert.equal(await data.start(2), 2);
  await commitReadings(paths, clock, 2, 1);
  await Deno.remove(paths.devices).catch(() => {});
  await Deno.mkdir(paths.devices);
  assert.equal(await data.start(3), 2);
  assert.equal(await data.start(2), 2);
  await Deno.remove(paths.devices);
  assert.equal(await data.start(3), 3);
  assert.deepEqual(known(paths, 1), allKnow(1));
});

Deno.test("a spool of an older version, which does not tell by how many, is read in any case", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  await commitReadings(paths, clock, 3, 1);
  await Deno.writeTextFile(`${paths.root}/shards`, "");
  assert.equal(await data.start(3), 3);
  assert.deepEqual(known(paths, 1), allKnow(1));
});

Deno.test("more devices than are held at a time are told part by part", async () => {
  const limits = [{ devicesMax: 1 }, { devicesMax: 2 }, { devicesMax: 5 }, { heldBytes: 200 }];
  for (const limit of limits) {
    await using data = await directory(limit);
    const { paths, clock } = data;
    await data.start(2);
    for (let lo = 1; lo <= 3; lo++) await commitReadings(paths, clock, 2, lo);
    const before = data.opened();
    assert.equal(await data.start(3), 3);
    assert.ok(data.opened() > before + 1 + 2 * 3, "the note, and each segment more than once");
    assert.deepEqual(known(paths, 3), allKnow(3));
  }
});

Deno.test("what devices are told fits into what the shards may know", async () => {
  const activeMax = 3;
  await using data = await directory({}, activeMax);
  const { paths, clock } = data;
  await data.start(2);
  await commitReadings(paths, clock, 2, 1, 600);
  clock.advance(20_000);
  assert.equal(await data.start(1), 1);
  const states = new DeviceStates(paths.devices);
  const bytes = [...states.all()].map(([id, saved]) => id.length + saved.length);
  states.close();
  assert.equal(bytes.length, ids.length);
  assert.ok(Math.max(...bytes) > 4_000, "there is room for all that some remember");
  assert.ok(bytes.reduce((sum, length) => sum + length) <= activeMax * 5 * 1_024);
});

Deno.test("after what was saved is lost, the spools are read once more", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  assert.equal(await data.start(2), 2);
  await commitReadings(paths, clock, 2, 1);
  assert.equal(await data.start(3), 3);
  for (const isPutAside of [false, true]) {
    await Deno.remove(paths.devices);
    if (isPutAside) new DeviceStates(paths.devices).close();
    assert.equal(await data.start(3, isPutAside), 3);
    assert.deepEqual(known(paths, 1), allKnow(1));
  }
});

Deno.test("a spool may be a link to a directory elsewhere", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  assert.equal(await data.start(2), 2);
  await commitReadings(paths, clock, 2, 1);
  await Deno.rename(`${paths.spool}/1`, `${paths.root}/elsewhere`);
  await Deno.symlink(`${paths.root}/elsewhere`, `${paths.spool}/1`);
  assert.equal(await data.start(3), 3);
  assert.deepEqual(known(paths, 1), allKnow(1));
});

Deno.test("when the note cannot be read, the spools are, and the start goes on", async () => {
  await using data = await directory();
  const { paths, clock } = data;
  assert.equal(await data.start(2), 2);
  await commitReadings(paths, clock, 2, 1);
  data.damaged.path = `${paths.root}/shards`;
  assert.equal(await data.start(3), 3);
  assert.deepEqual(known(paths, 1), allKnow(1));
});
