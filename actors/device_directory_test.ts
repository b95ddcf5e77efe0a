import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../runtime/clock.ts";
import { DeviceDirectory } from "./device_directory.ts";
import { presenceOf } from "./device_presence.ts";
import { restoreDevice, saveDevice, savedLastSeenMs } from "./device_saved.ts";
import { compileRoutes } from "./route_table.ts";
import { deviceTools, FateOutlet, readingOf } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const timeouts = { silentAfterMs: 60_000, offlineAfterMs: 600_000 };

function directory(knownMax = 1000) {
  const clock = new ManualClock();
  const tools = deviceTools();
  const devices = new DeviceDirectory(tools, { ...timeouts, knownMax, now: () => clock.now() });
  const topics = new TopicTable(compileRoutes([]), { gatewayId: "gw", hashSeed: 1 });
  const outlet = new FateOutlet();
  const send = (topic: string, payload: string, arrivalMs = clock.now()) => {
    const bytes = new TextEncoder().encode(topic);
    const entry = topics.lookup(bytes, 0, bytes.length);
    assert.ok(entry.kind === "topic");
    devices.activate(entry.deviceId).take(
      readingOf(entry, payload, { arrivalMs }),
      outlet,
    );
    return outlet.fate;
  };
  return { clock, tools, devices, send };
}

Deno.test("a device comes back from rest as it was", () => {
  const { clock, tools, devices, send } = directory();
  send("a/b", '{"x":1.5,"y":-0.25,"timestamp":1574729660}');
  send("a/b", '{"x":2}');
  const arrival = send("a/b", "bad");
  assert.equal(arrival?.kind, "dead");
  const before = devices.activate("a~b");
  const saved = saveDevice(before, clock.now());
  assert.equal(savedLastSeenMs(saved), clock.now());
  const after = restoreDevice("a~b", saved, tools, clock.now());
  assert.equal(saveDevice(after, clock.now()), saved);
  assert.deepEqual(after.lastError, before.lastError);
  devices.passivate("a~b");
  assert.equal(send("a/b", '{"x":1.5,"y":-0.25,"timestamp":1574729660}')?.kind, "duplicate");
  const fate = send("a/b", '{"x":3}');
  // The second reading without a time, and no time is given twice.
  assert.match(fate?.kind === "points" ? fate.lines[0]! : "", / 1700000000000000001$/);
});

Deno.test("all that is young survives rest, however much it is", () => {
  const { devices, send } = directory();
  const payload = (i: number) => `{"x":${i},"timestamp":${1_574_729_660 + i}}`;
  for (let i = 0; i < 500; i++) send("a/b", payload(i));
  devices.passivate("a~b");
  for (let i = 0; i < 500; i++) assert.equal(send("a/b", payload(i))?.kind, "duplicate");
});

Deno.test("what a sender had on its way survives rest however long, unless room is short", () => {
  const { clock, tools, devices, send } = directory();
  for (let i = 0; i < 600; i++) send("a/b", `{"x":${i},"timestamp":${1_574_729_660 + i}}`);
  const device = devices.activate("a~b");
  clock.advance(3_600_000);
  const saved = saveDevice(device, clock.now());
  assert.equal(restoreDevice("a~b", saved, tools, clock.now()).window?.count, 512);
  assert.ok(saveDevice(device, clock.now(), true).length < 500);
});

Deno.test("room for what is old is given back at rest", () => {
  const { clock, tools, devices, send } = directory();
  const before = tools.windowRoom.bytesLeft;
  for (let i = 0; i < 20; i++) {
    send("a/b", `{"x":${i},"timestamp":${1_574_729_660 + i}}`);
    clock.advance(60_000);
  }
  assert.ok(tools.windowRoom.bytesLeft < before);
  devices.passivate("a~b");
  assert.equal(tools.windowRoom.bytesLeft, before);
  // Nor does a look at it take any.
  assert.equal(devices.find("a~b")?.device.window?.count, 0);
});

Deno.test("who was seen in the future, for the clock was set back since, was seen now", () => {
  const { clock, devices, send } = directory();
  send("a/b", '{"x":1}');
  devices.passivate("a~b");
  const [[, saved] = ["", ""]] = devices.saved();
  clock.setBy(-3_600_000);
  const later = directory();
  later.clock.setBy(-3_600_000);
  later.devices.load("a~b", saved);
  assert.equal(later.devices.find("a~b")?.presence, "online");
  later.clock.advance(timeouts.offlineAfterMs);
  assert.equal(later.devices.find("a~b")?.presence, "offline");
});

Deno.test("what is not a saved device is refused", () => {
  const { tools, devices } = directory();
  for (const saved of ["", "{}", "[]", '[1,[],[],[],"",0]', '[2,[1,2,3,4,5,6,7],[],[],"",0]']) {
    assert.throws(() => restoreDevice("d", saved, tools, 0), TypeError);
    assert.throws(() => devices.load("d", saved), TypeError);
  }
});

Deno.test("devices are written down and read again", () => {
  const one = directory();
  for (const name of ["a", "b", "c"]) one.send(`x/${name}`, '{"v":1}');
  one.devices.passivateAll();
  const other = directory();
  for (const [id, saved] of one.devices.saved()) other.devices.load(id, saved);
  assert.equal(other.devices.size, 3);
  assert.equal(other.devices.find("x~b")?.device.accepted, 1);
});

Deno.test("page after page gives every device once, in order, however long pages are", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      (numbers, limit) => {
        const { devices, send } = directory();
        for (const number of numbers) send(`x/${number}`, '{"v":1}');
        const seen: string[] = [];
        for (let after: string | undefined = "";;) {
          const page = devices.list({ limit, after });
          seen.push(...page.items.map(({ device }) => device.id));
          after = page.next;
          if (after === undefined) break;
          assert.equal(page.items.length, limit);
        }
        assert.deepEqual(seen, numbers.map((number) => `x~${number}`).sort());
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("the list is in order, in pages, and filtered", () => {
  const { clock, devices, send } = directory();
  for (const name of ["d", "b", "a", "c"]) send(`x/${name}`, '{"v":1}');
  devices.passivate("x~b");
  const ids = (query: Parameters<typeof devices.list>[0]) =>
    devices.list(query).items.map(({ device }) => device.id);
  assert.deepEqual(ids({ limit: 3 }), ["x~a", "x~b", "x~c"]);
  assert.equal(devices.list({ limit: 3 }).next, "x~c");
  assert.deepEqual(devices.list({ limit: 3, after: "x~c" }).next, undefined);
  assert.deepEqual(ids({ limit: 9, after: "x~b" }), ["x~c", "x~d"]);
  assert.deepEqual(ids({ limit: 9, idPrefix: "x~d" }), ["x~d"]);
  assert.deepEqual(ids({ limit: 9, idPart: "~D" }), ["x~d"]);
  assert.deepEqual(ids({ limit: 9, idPart: "x~D", idPrefix: "d" }), []);
  assert.deepEqual(ids({ limit: 9, only: (id) => "x~a x~b".includes(id) }), ["x~a", "x~b"]);
  clock.advance(60_000);
  send("x/c", '{"v":1}');
  assert.deepEqual(ids({ limit: 9, presence: "silent" }), ["x~a", "x~b", "x~d"]);
  assert.deepEqual(devices.tally(), { online: 1, silent: 3, offline: 0 });
});

Deno.test("more devices than allowed: those at rest longest are forgotten and counted", () => {
  const { devices, send } = directory(3);
  for (const name of ["a", "b", "c"]) send(`x/${name}`, '{"v":1}');
  devices.passivate("x~b");
  devices.passivate("x~a");
  send("x/d", '{"v":1}');
  assert.deepEqual([devices.size, devices.forgotten], [3, 1]);
  assert.equal(devices.find("x~b"), undefined);
  assert.equal(devices.find("x~a")?.device.accepted, 1);
});

Deno.test("presence goes by how long it has been quiet", () => {
  const at = (quietMs: number) => presenceOf(1e12, 1e12 + quietMs, timeouts);
  assert.deepEqual([-5, 0, 59_999, 60_000, 599_999, 600_000].map(at), [
    "online",
    "online",
    "online",
    "silent",
    "silent",
    "offline",
  ]);
  assert.equal(presenceOf(0, 1, timeouts), "offline");
});

Deno.test("changes come in their order, in parts, and none is left out", () => {
  let nowMs = 1_700_000_000_000;
  const tools = deviceTools();
  const directory = new DeviceDirectory(tools, {
    silentAfterMs: 5_000,
    offlineAfterMs: 60_000,
    knownMax: 1_000,
    now: () => nowMs,
  });
  for (let i = 0; i < 50; i++) {
    const device = directory.activate(`d${i}`);
    device.lastSeenMs = nowMs;
    device.changeNo = tools.changes.next(nowMs);
  }
  for (let i = 0; i < 10; i++) directory.passivate(`d${i}`);
  nowMs += 2_000;
  const take = (since: number, count: number) => {
    let left = count;
    return directory.changedAfter(since, () => true, () => left-- > 0);
  };
  const seen = new Set<string>();
  let since = 0;
  for (let more = true; more;) {
    const part = take(since, 7);
    for (const { device } of part.entries) seen.add(device.id);
    ({ until: since, more } = part);
  }
  assert.equal(seen.size, 50);
  assert.deepEqual(take(since, 7).entries, []);
  const changed = directory.activate("d3");
  changed.changeNo = tools.changes.next(nowMs - 1_000);
  changed.lastSeenMs = nowMs;
  assert.deepEqual(take(since, 7).entries.map(({ device }) => device.id), ["d3"]);
  since = take(since, 100).until;
  nowMs += 4_500; // The others become silent, within a second of their time.
  const silent = take(since, 100).entries;
  assert.equal(new Set(silent.map(({ device }) => device.id)).size, 49);
  assert.ok(silent.every(({ presence }) => presence === "silent"));
});

Deno.test("devices at rest are bounded by what they take, too", () => {
  const { devices, send } = directory(100);
  for (let i = 0; i < 100; i++) {
    const fields = Array.from({ length: 60 }, (_, n) => `"${`${n}_${i}`.padEnd(120, "f")}":${n}`);
    send(`a/${i}`, `{${fields.join(",")}}`);
  }
  assert.equal(devices.size, 100);
  devices.passivateAll();
  let chars = 0;
  for (const [id, saved] of devices.saved()) chars += id.length + saved.length;
  assert.ok(chars > 90_000 && chars <= 102_400, `${chars}`);
  assert.equal(devices.forgotten, 100 - devices.size);
  devices.activate("a~99");
  devices.passivate("a~99");
  assert.ok(devices.find("a~99") !== undefined);
});

Deno.test("a name that is very long is not among the last values", () => {
  const { devices, send } = directory();
  assert.equal(send("a/b", `{"${"n".repeat(1_000)}":1,"x":2}`)?.kind, "points");
  const { values } = devices.activate("a~b");
  assert.deepEqual([values.count, values.name(0), values.omitted], [1, "x", 1]);
});

Deno.test("what is to be saved: what was seen since, and what arrived long ago and is new", () => {
  const { clock, tools, devices, send } = directory();
  const ids = (sinceMs: number, changeNo: number) =>
    [...devices.changedSince(sinceMs, changeNo)].flatMap((entry) => entry?.[0] ?? []);
  send("a/old", '{"x":1}');
  const changeNo = tools.changes.reach(clock.now());
  send("a/waited", '{"x":2}', clock.now() - 3_600_000);
  assert.deepEqual(ids(clock.now() + 1, changeNo), ["a~waited"]);
  clock.advance(1_000);
  send("a/new", '{"x":1}');
  devices.passivate("a~old");
  assert.deepEqual(ids(clock.now(), changeNo), ["a~new", "a~waited"]);
  assert.deepEqual(ids(0, 0), ["a~new", "a~old", "a~waited"]);
});

Deno.test("what arrived long ago is to be saved though its device rests, or came back, since", () => {
  const { clock, tools, devices, send } = directory();
  const ids = (changeNo: number) =>
    [...devices.changedSince(clock.now() + 1, changeNo)].flatMap((entry) => entry?.[0] ?? []);
  const before = tools.changes.reach(clock.now());
  send("a/waited", '{"x":1}', clock.now() - 3_600_000);
  devices.passivate("a~waited");
  assert.deepEqual(ids(before), ["a~waited"]);
  devices.activate("a~waited");
  assert.deepEqual(ids(before), ["a~waited"]);
  devices.passivate("a~waited");
  const after = tools.changes.reach(clock.now());
  assert.deepEqual(ids(after), []);
  send("a/waited", '{"x":2}', clock.now() - 3_600_000);
  devices.passivate("a~waited");
  assert.deepEqual(ids(after), ["a~waited"]);
});

Deno.test("no device is left out because it comes back, or goes to rest, while others are saved", () => {
  const { clock, devices, send } = directory(3_000);
  for (let i = 0; i < 2_000; i++) send(`a/${i}`, '{"x":1}');
  for (let i = 0; i < 2_000; i += 2) devices.passivate(`a~${i}`);
  const seen = new Set<string>();
  const saving = devices.changedSince(clock.now(), 0);
  saving.next();
  for (let i = 0; i < 2_000; i++) {
    if (i % 2 === 0) devices.activate(`a~${i}`);
    else devices.passivate(`a~${i}`);
  }
  for (const entry of saving) if (entry !== undefined) seen.add(entry[0]);
  assert.equal(seen.size, 2_000);
});
