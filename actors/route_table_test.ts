import assert from "node:assert/strict";
import { RouteError } from "./route.ts";
import { compileRoutes } from "./route_table.ts";

const base = { name: "r", topic: "t/{id}", measurement: "m" };

const mistakes: [problem: string, routes: unknown, path: string, message: RegExp][] = [
  ["no list", {}, "routes", /array/],
  ["no object", [1], "routes[0]", /object/],
  ["missing", [{ name: "r", topic: "t/{id}" }], "routes[0]", /measurement/],
  [
    "unknown key",
    [base, { ...base, name: "s", colour: 1 }],
    "routes[1]",
    /"colour"; allowed: name, topic/,
  ],
  [
    "unknown inner key",
    [{ ...base, fields: { flaten: true } }],
    "routes[0].fields",
    /"flaten".*flatten/,
  ],
  ["wrong type", [{ ...base, topic: 5 }], "routes[0].topic", /string/],
  ["not allowed", [{ ...base, ack: "never" }], "routes[0].ack", /spooled.*stored/],
  ["same name", [base, base], "routes[1].name", /routes\[0\]/],
  ["bad filter", [{ ...base, topic: "a#/b" }], "routes[0].topic", /alone/],
  ["reserved name", [{ ...base, topic: "t/{metric}" }], "routes[0].topic", /\{metric\}/],
  [
    "unknown placeholder",
    [{ ...base, measurement: "{x}" }],
    "routes[0].measurement",
    /\{x\}.*\{id\}/,
  ],
  ["unknown in a tag", [{ ...base, tags: { a: "{x}" } }], "routes[0].tags.a", /\{x\}/],
  ["metric in a tag", [{ ...base, tags: { a: "{metric}" } }], "routes[0].tags.a", /\{metric\}/],
  ["gateway in the device", [{ ...base, device: "{gateway}" }], "routes[0].device", /\{gateway\}/],
  ["no device", [{ ...base, topic: "t/x" }], "routes[0].device", /needed/],
  ["two metrics", [{ ...base, measurement: "{metric}{metric}" }], "routes[0].measurement", /once/],
  ["tag time", [{ ...base, tags: { time: "x" } }], "routes[0].tags.time", /name/],
  [
    "tag twice",
    [{ ...base, tags: { a: "x" }, payloadTags: { a: "b" } }],
    "routes[0].tags.a",
    /already/,
  ],
  ["bad pointer", [{ ...base, sequence: "/a~2" }], "routes[0].sequence", /JSON Pointer/],
  [
    "bad zone",
    [{ ...base, timestamp: { key: "t", zone: "Mars/Base" } }],
    "routes[0].timestamp.zone",
    /Mars/,
  ],
  [
    "bad format",
    [{ ...base, timestamp: { key: "t", format: "iso" } }],
    "routes[0].timestamp.format",
    /rfc3339/,
  ],
  ["bad schema", [{ ...base, schema: { type: "thing" } }], "routes[0].schema", /type/],
  ["unknown keyword", [{ ...base, schema: { requird: ["a"] } }], "routes[0].schema", /requird/],
  [
    "module and metric",
    [{ ...base, measurement: "{metric}", module: "x.ts" }],
    "routes[0].measurement",
    /module/,
  ],
];
for (const [problem, routes, path, message] of mistakes) {
  Deno.test(`a route with a mistake is refused: ${problem}`, () => {
    assert.throws(() => compileRoutes(routes), (error) => {
      assert.ok(error instanceof RouteError, String(error));
      assert.equal(error.path, path);
      assert.match(error.message, message);
      return true;
    });
  });
}

const names = (...options: Parameters<typeof compileRoutes>) =>
  compileRoutes(...options).map(({ name }) => name);

Deno.test("configured routes come first; built-in ones can be off or replaced", () => {
  assert.deepEqual(names([base]), ["r", "weather", "line", "device", "position", "station"]);
  assert.deepEqual(names([], { builtinOff: ["station", "weather"] }), [
    "line",
    "device",
    "position",
  ]);
  assert.deepEqual(names([{ ...base, name: "device" }]), [
    "device",
    "weather",
    "line",
    "position",
    "station",
  ]);
});

Deno.test("a route says when it acknowledges, else the default does", () => {
  const routes = compileRoutes([base, { ...base, name: "s", ack: "spooled" }], {
    ackLevel: "stored",
  });
  assert.deepEqual(routes.slice(0, 2).map(({ ackLevel }) => ackLevel), ["stored", "spooled"]);
});

Deno.test("the tag gateway is on every route, unless it is off", () => {
  const tags = (gatewayTag: boolean) =>
    compileRoutes([base], { gatewayTag })[0]!.tags.map(([key]) => key);
  assert.deepEqual([tags(true), tags(false)], [["gateway"], []]);
});
