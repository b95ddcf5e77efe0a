import assert from "node:assert/strict";
import { CodeLimit } from "./code_limit.ts";
import type { CodePoint, DeviceCode } from "./device_code.ts";
import { loadDeviceCodes } from "./device_module.ts";
import { RouteError } from "./route.ts";
import { compileRoutes } from "./route_table.ts";
import { CodedDevices } from "./testing/coded_devices.ts";

const text = new TextDecoder();
const route = {
  name: "own",
  topic: "own/{id}",
  measurement: "own",
  tags: { id: "{id}" },
  module: "own",
};

let runs = 0;
/** What a slow device does meanwhile. */
let slowly = () => {};

/** Counts its readings, and emits what the payload says; a bad device fails, another one spins. */
class OwnDevice implements DeviceCode {
  #count = 0;
  onReading(reading: Parameters<DeviceCode["onReading"]>[0], emit: (point: CodePoint) => void) {
    runs++;
    while (reading.params["id"] === "spins");
    if (reading.params["id"] === "slow") slowly();
    const point: CodePoint = JSON.parse(text.decode(reading.payload));
    emit({ ...point, fields: { ...point.fields, count: ++this.#count } });
    if (reading.params["id"] === "bad") throw new Error("told to fail");
  }
}

const start = (limitMs = 60_000) =>
  CodedDevices.start({
    routes: compileRoutes([route], { gatewayTag: false }),
    Device: OwnDevice,
    limitMs,
    suspects: ["known"],
  });

Deno.test("a device is put to rest when it is idle and goes on where it was", async () => {
  const { test, directory, devices, send } = await start();
  send("a/b", '{"x":1,"timestamp":1574729660}');
  assert.equal(devices.active, 1);
  test.advance(3_000);
  assert.equal(devices.active, 0);
  assert.equal(directory.find("a~b")?.device.accepted, 1);
  assert.equal(send("a/b", '{"x":1,"timestamp":1574729660}')?.kind, "duplicate");
  await test.stop();
});

Deno.test("code of a route's module makes the points, with state of its own", async () => {
  const { test, directory, send } = await start();
  const arrival = `${test.clock.now()}000000`;
  const cases: [payload: string, lines: string[]][] = [
    [
      '{"fields":{"x":1.5,"on":true,"s":"a b"},"tags":{"k 1":"v"}}',
      [`own,id=1,k\\ 1=v x=1.5,on=true,s="a b",count=1 ${arrival}`],
    ],
    [
      '{"measurement":"m 2","fields":{},"time":"2019-11-26T00:54:20Z"}',
      ["m\\ 2,id=1 count=2 1574729660000000000"],
    ],
    ['{"fields":{},"time":1574729660123}', ["own,id=1 count=3 1574729660123000000"]],
  ];
  for (const [payload, lines] of cases) {
    const fate = send("own/1", payload);
    assert.deepEqual(fate?.kind === "points" && fate.lines, lines);
  }
  const { values } = directory.activate("1");
  const kept = Array.from({ length: values.count }, (_, i) => [values.name(i), values.value(i)]);
  // The later two are older by their own time.
  assert.deepEqual(kept, [["x", 1.5], ["on", 1], ["count", 1]]);
  await test.stop();
});

Deno.test("what code emits that cannot be written is its crash, and leaves no line", async () => {
  const { test, outlet, send } = await start();
  const payloads = [
    '{"fields":{"no":null}}',
    '{"fields":{"":1}}',
    '{"fields":{"a\\\\":1}}',
    '{"fields":{},"tags":{"id":"twice"}}',
    '{"fields":{},"tags":{"t":"a\\\\"}}',
    '{"fields":{},"measurement":""}',
    '{"fields":{},"time":"yesterday"}',
    '{"fields":{},"time":1e300}',
  ];
  payloads.forEach((payload, i) => {
    assert.equal(send(`own/${i}`, payload), undefined);
    assert.equal(outlet.group.lines.length, 0);
  });
  assert.equal(test.letters.length, payloads.length);
  for (const { failure } of test.letters) assert.equal(failure?.name, "TypeError");
  await test.stop();
});

Deno.test("a device whose code fails goes on beside healthy ones, with what it knew", async () => {
  const { test, directory, outlet, send } = await start();
  assert.equal(send("own/bad", '{"fields":{"x":1}}'), undefined);
  assert.equal(outlet.group.lines.length, 0);
  test.advance(1_000);
  assert.equal(send("own/good", '{"fields":{"x":1}}')?.kind, "points");
  const bad = directory.find("bad")?.device;
  assert.deepEqual([bad?.accepted, bad?.deadLettered], [0, 1]);
  assert.match(bad?.lastError?.detail ?? "", /told to fail/);
  assert.equal(test.letters.length, 1);
  assert.equal(test.letters[0]?.reason, "crashed");
  await test.stop();
});

Deno.test("code that does not return is ended, and after the second time not run any more", async () => {
  const { test, directory, outlet, send, strikes } = await start(20);
  const details: string[] = [];
  runs = 0;
  for (let i = 0; i < 3; i++) {
    assert.equal(send("own/spins", '{"fields":{"x":1}}'), undefined);
    assert.equal(outlet.group.lines.length, 0);
    test.advance(10_000); // Started anew.
    details.push(directory.find("spins")?.device.lastError?.detail ?? "");
  }
  assert.match(details[1]!, /had not returned after 20 ms/);
  assert.match(details[2]!, /not run before the next start/);
  assert.equal(runs, 2);
  send("own/known", '{"fields":{"x":1}}'); // Its shard died of it before.
  assert.equal(runs, 2);
  assert.deepEqual(test.letters.map(({ reason }) => reason), Array(4).fill("crashed"));
  strikes.forgive("spins");
  send("own/spins", '{"fields":{"x":1}}');
  assert.equal(runs, 3);
  await test.stop();
});

Deno.test("code that is slow gives way after each reading, and code that is not keeps its turn", async () => {
  const { test, tell } = await start();
  const { dispatcher } = test.system;
  const turnsFor = (topic: string) => {
    for (let i = 0; i < 4; i++) tell(topic, '{"fields":{"x":1}}');
    return dispatcher.runUntilIdle();
  };
  turnsFor("own/slow"); // Now it is made, and its group's turns are done.
  assert.equal(turnsFor("own/slow"), 1);
  slowly = () => test.clock.advance(1);
  assert.equal(turnsFor("own/slow"), 4);
  slowly = () => {};
  await test.stop();
});

Deno.test("a module must load and export a class Device", async () => {
  const routes = compileRoutes([route]);
  const limit = new CodeLimit(60_000);
  const failing: (() => Promise<unknown>)[] = [
    () => Promise.reject(new Error("not found")),
    () => Promise.resolve({}),
    () => Promise.resolve({ Device: 5 }),
  ];
  for (const load of failing) {
    await assert.rejects(loadDeviceCodes(routes, load, limit), (error) => {
      assert.ok(error instanceof RouteError);
      assert.equal(error.path, "routes[0].module");
      return true;
    });
  }
  const codes = await loadDeviceCodes(
    routes,
    () => Promise.resolve({ Device: class {} }),
    limit,
  );
  assert.throws(() => codes.get(0)?.(), /no method onReading/);
});
