import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../runtime/clock.ts";
import { DeviceDirectory } from "./device_directory.ts";
import { savedLastSeenMs } from "./device_saved.ts";
import { deviceTools } from "./testing/readings.ts";

function directory() {
  const clock = new ManualClock();
  const tools = deviceTools();
  const devices = new DeviceDirectory(tools, {
    silentAfterMs: 60_000,
    offlineAfterMs: 600_000,
    knownMax: 100,
    now: () => clock.now(),
  });
  return { tools, devices };
}

Deno.test("what a device's code keeps comes back from rest, and its room is given back", () => {
  const routes = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(fc.dictionary(routes, fc.jsonValue()), (states) => {
    const { tools, devices } = directory();
    // As JSON has them: -0 is 0.
    const kept = Object.entries(states).map(([route, state]) => [route, JSON.stringify(state)]);
    const device = devices.activate("a");
    device.lastSeenMs = 7;
    device.values.set(0, "value", 1, 7);
    for (const [route = "", text = ""] of kept) device.restoreState(route, text);
    const { bytes } = tools.codeRoom;
    devices.passivate("a");
    assert.equal(tools.codeRoom.bytes, 0);
    assert.equal(devices.find("a")?.device.codeStates?.size ?? 0, kept.length);
    assert.equal(tools.codeRoom.bytes, 0, "to look at it takes none");
    assert.equal(savedLastSeenMs([...devices.saved()][0]![1]), 7);
    // No value is taken to be there for what a route is called.
    devices.each((_, has) => {
      assert.ok(has("value"));
      for (const [route = ""] of kept) assert.equal(has(route), route === "value");
    });
    assert.deepEqual([...devices.activate("a").codeStates?.entries() ?? []], kept);
    assert.equal(tools.codeRoom.bytes, bytes);
  }));
});

Deno.test("a saved device has the values that it has, whatever they are called", () => {
  // Names of the text's own punctuation too.
  const name = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[\\",[\]01]{0,4}$/));
  fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 6 }), name, (names, other) => {
    const { devices } = directory();
    const device = devices.activate("a");
    names.forEach((name, i) => device.values.set(i, name, i, 7));
    device.lastError = { reason: "reason", detail: "detail", atMs: 1 };
    devices.passivate("a");
    devices.each((_, has) => {
      for (const name of names) assert.ok(has(name));
      for (const one of [other, "reason", "detail"]) assert.equal(has(one), names.includes(one));
    });
  }));
});

Deno.test("a device that was saved before its code kept anything is known", () => {
  const { devices } = directory();
  devices.load("old", '[1,[1574729660000,3,1,0,0,1574729660000,0],["x"],[1.5,-7],"",0]');
  const { accepted, codeStates } = devices.activate("old");
  assert.deepEqual([accepted, codeStates], [3, undefined]);
  const row = '[1,[1,3,1,0,0,1,0],[],[],"",0';
  for (const states of ['"x"', "[1]", '["no end"]', '["{}\\nmeter"],1']) {
    assert.throws(() => devices.load("new", `${row},${states}]`), /not a saved device/);
  }
});
