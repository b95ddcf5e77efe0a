import assert from "node:assert/strict";
import { DeviceStates } from "./device_states.ts";

Deno.test("device states outlive the file being closed, and two shards share it", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/devices.db`;
  const one = new DeviceStates(file);
  const two = new DeviceStates(file);
  one.save([["a", "1"], ["b", "2"]]);
  two.save([["b", "3"], ["__proto__", "4"]]);
  one.close();
  two.close();
  const again = new DeviceStates(file);
  assert.deepEqual(new Map(again.all()), new Map([["a", "1"], ["b", "3"], ["__proto__", "4"]]));
  // More than are written by one statement, or read at once.
  const many = Array.from({ length: 600 }, (_, i): [string, string] => [`n${i}`, String(i)]);
  again.save(many);
  const all = [...again.all()].filter(([id]) => id.startsWith("n"));
  assert.deepEqual(all, many.toSorted(([a], [b]) => a < b ? -1 : 1));
  again.close();
  await Deno.remove(directory, { recursive: true });
});
