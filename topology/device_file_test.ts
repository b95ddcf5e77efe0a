import assert from "node:assert/strict";
import { DeviceStates } from "../gateways/store/device_states.ts";
import { ManualClock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { DeviceFile } from "./device_file.ts";

/** A file in a directory of its own; `loaded` is what the directory of devices was given. */
async function open() {
  const dir = await Deno.makeTempDir({ prefix: "sluice_device_file_" });
  const path = `${dir}/devices.db`;
  const loaded: string[] = [];
  const file = new DeviceFile({
    path,
    synchronous: "OFF",
    directory: {
      load(id, saved) {
        if (saved === "damaged") throw new TypeError("it is no saved device");
        loaded.push(id);
      },
    },
    time: new SteadyTime(new ManualClock()),
    owns: (id) => id.startsWith("own"),
  });
  const done = async () => {
    file.close();
    await Deno.remove(dir, { recursive: true });
  };
  return { path, loaded, file, done };
}

Deno.test("a shard reads its own devices, and one whose row is damaged keeps no other from that", async () => {
  const { path, loaded, file, done } = await open();
  const states = new DeviceStates(path);
  states.save([["own~1", "a"], ["own~2", "damaged"], ["own~3", "c"], ["theirs", "d"]]);
  states.close();
  await file.load();
  assert.deepEqual([loaded, file.isRead], [["own~1", "own~3"], true]);
  await done();
});

Deno.test("a file that cannot be opened is tried again with each save", async () => {
  const { path, file, done } = await open();
  await Deno.mkdir(path);
  await file.load();
  assert.equal(file.isRead, false);
  assert.throws(() => file.save([["own~1", "a"]]));
  await Deno.remove(path);
  file.save([["own~1", "a"]]);
  const states = new DeviceStates(path);
  assert.equal(states.get("own~1"), "a");
  states.close();
  assert.equal(file.isRead, false); // What had been saved before is not known.
  await done();
});
