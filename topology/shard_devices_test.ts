import assert from "node:assert/strict";
import { codeTraceMemory } from "../actors/code_trace.ts";
import { Device } from "../actors/device.ts";
import { restoreDevice, saveDevice } from "../actors/device_saved.ts";
import { hashText } from "../actors/fingerprint.ts";
import { CommitGroup } from "../actors/spool/commit_group.ts";
import { sealGroup } from "../actors/spool/record.ts";
import { deviceTools, FateOutlet } from "../actors/testing/readings.ts";
import { parseConfig } from "../config.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import { ManualClock } from "../runtime/clock.ts";
import { ActorSystem } from "../runtime/system.ts";
import { dataPaths } from "./data_directory.ts";
import { shardLimits } from "./limits.ts";
import { ShardDevices } from "./shard_devices.ts";

const shards = 2;
const ids = Array.from({ length: 20 }, (_, i) => `hall~${i}`);
const ownerOf = (id: string): number => hashText(id) % shards;
const owned = ids.filter((id) => ownerOf(id) === 0).sort();
const foreign = ids.filter((id) => ownerOf(id) !== 0);

Deno.test("what the spool holds is known and saved however old it is, but for another shard's devices", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_devices_" });
  const { config } = await parseConfig({ dataDir });
  const states = new DeviceStates(dataPaths(dataDir).devices);
  const clock = new ManualClock();
  const tools = deviceTools();
  const theirs = foreign.map((id): [string, string] => {
    const device = new Device(id, tools);
    device.accepted = 7;
    return [id, saveDevice(device, clock.now())];
  });
  states.save(theirs);
  const system = new ActorSystem({ clock });
  const init = { shard: 0, shards, config, codeTrace: codeTraceMemory(), suspects: [] };
  const devices = await ShardDevices.open(
    { init, system, limits: shardLimits(config, shards), stage: () => {} },
    [],
  );
  const group = new CommitGroup();
  ids.forEach((id, i) => {
    group.lines.appendText("x");
    group.add({ id, groupNo: 0, slot: 0 }, 1, i + 1);
  });
  devices.recovered(sealGroup(group, clock.now() - 3_600_000));
  assert.deepEqual(devices.views.list({ limit: 100 }).items.map(({ id }) => id), owned);
  devices.start(new FateOutlet(), undefined, (completion) => completion.complete());
  clock.advance(1_100);
  assert.ok(devices.savedUpToMs > 0);
  await system.stop();
  devices.close(true);
  const saved = new Map(states.all());
  states.close();
  for (const id of owned) {
    const { window } = restoreDevice(id, saved.get(id) ?? "", tools, clock.now());
    assert.equal(window?.has(1, ids.indexOf(id) + 1), true, id);
  }
  assert.deepEqual([...saved].filter(([id]) => foreign.includes(id)), theirs.sort());
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("devices that were on line still are when a shard begins anew after the clock was set", async () => {
  for (const setByMs of [18_000_000, -18_000_000]) {
    const dataDir = await Deno.makeTempDir({ prefix: "sluice_devices_" });
    const { config } = await parseConfig({ dataDir });
    const clock = new ManualClock();
    const begin = async () => {
      const system = new ActorSystem({ clock });
      const init = { shard: 0, shards, config, codeTrace: codeTraceMemory(), suspects: [] };
      const limits = shardLimits(config, shards);
      const devices = await ShardDevices.open({ init, system, limits, stage: () => {} }, []);
      return { system, devices };
    };
    const group = new CommitGroup();
    group.lines.appendText("x");
    group.add({ id: owned[0]!, groupNo: 0, slot: 0 }, 1, 1);
    const first = await begin();
    first.devices.recovered(sealGroup(group, clock.now()));
    first.devices.start(new FateOutlet(), undefined, (completion) => completion.complete());
    const seenMs = clock.now();
    clock.setBy(setByMs);
    clock.advance(1_100);
    await first.system.stop();
    first.devices.close(true);
    const next = await begin();
    const [device] = next.devices.views.list({ limit: 2 }).items;
    assert.deepEqual(
      [device?.id, device?.presence, device?.lastSeenMs],
      [owned[0], "online", seenMs + setByMs],
    );
    await next.system.stop();
    next.devices.close(true);
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("when not all that was saved fits, the devices have to be told by the spool", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_devices_" });
  const states = new DeviceStates(dataPaths(dataDir).devices);
  const tools = deviceTools();
  states.save(ids.map((id) => [id, saveDevice(new Device(id, tools), 0)]));
  for (const [activeMax, isKnown] of [[ids.length, true], [1, false]] as const) {
    const { config } = await parseConfig({ dataDir, device: { activeMax } });
    const system = new ActorSystem({ clock: new ManualClock() });
    const init = { shard: 0, shards, config, codeTrace: codeTraceMemory(), suspects: [] };
    const limits = shardLimits(config, shards);
    const devices = await ShardDevices.open({ init, system, limits, stage: () => {} }, []);
    assert.equal(devices.statesKnown, isKnown);
    await system.stop();
    devices.close(true);
  }
  states.close();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("whose code is not run any more counts as quarantined, until it is released", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_devices_" });
  const states = new DeviceStates(dataPaths(dataDir).devices);
  const tools = deviceTools();
  states.save(ids.map((id) => [id, saveDevice(new Device(id, tools), 0)]));
  states.close();
  const { config } = await parseConfig({ dataDir });
  const system = new ActorSystem({ clock: new ManualClock() });
  const [guilty = "", other = ""] = owned;
  const [theirs = ""] = foreign;
  const suspects = [guilty, theirs];
  const init = { shard: 0, shards, config, codeTrace: codeTraceMemory(), suspects };
  const limits = shardLimits(config, shards);
  const devices = await ShardDevices.open({ init, system, limits, stage: () => {} }, []);
  devices.start(new FateOutlet(), undefined, (completion) => completion.complete());
  const quarantined = () =>
    devices.views.list({ limit: 9, quarantined: true }).items.map(({ id }) => id);
  assert.deepEqual(quarantined(), [guilty]);
  assert.equal(devices.views.find(guilty)?.quarantined, true);
  assert.equal(devices.views.find(other)?.quarantined, undefined);
  assert.equal(devices.release(other), "not_quarantined");
  assert.equal(devices.release(theirs), "unknown"); // Its owner releases it.
  assert.equal(devices.release(guilty), "released");
  assert.deepEqual(quarantined(), []);
  assert.equal(devices.release(guilty), "not_quarantined");
  await system.stop();
  devices.close(true);
  await Deno.remove(dataDir, { recursive: true });
});
