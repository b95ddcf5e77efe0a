import assert from "node:assert/strict";
import { complaints } from "./layers.ts";
import { parseModule } from "./module_graph.ts";

/** What is said of a small tree: path → text. */
function said(files: Readonly<Record<string, string>>): string[] {
  return complaints(
    new Map(Object.entries(files).map(([path, text]) => [path, parseModule(path, text)])),
  );
}

const uses = (...paths: string[]): string => paths.map((path) => `import "${path}";\n`).join("");

Deno.test("a tree that keeps the rules", () => {
  assert.deepEqual(
    said({
      "main.ts": uses("./topology.ts", "./config.ts", "hono"),
      "config.ts": "",
      "topology.ts": `${
        uses("./gateways/http/app.ts")
      }new URL(\n"./shard_worker.ts",\nimport.meta.url,\n);`,
      "shard_worker.ts": uses("./actors/device.ts"),
      "gateways/http/app.ts": uses("../../actors/device.ts", "../../runtime/actor.ts"),
      "actors/device.ts": 'import type { A } from "../runtime/actor.ts";\n',
      "actors/device_test.ts": uses("./device.ts", "../gateways/testing/servers.ts"),
      "gateways/testing/servers.ts": "",
      "gateways/mqtt/codec/packet.ts": "",
      "runtime/actor.ts": "/** @example\n * import { x } from './nothing.ts';\n */\n",
      "sim/main.ts": uses("../gateways/mqtt/codec/packet.ts"),
    }),
    [],
  );
});

const breaches: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ["against the layers", {
    "main.ts": uses("./runtime/actor.ts"),
    "runtime/actor.ts": 'import {\n  x,\n} from "../actors/device.ts";\n',
    "actors/device.ts": "",
  }, /^runtime\/actor\.ts imports actors\/device\.ts: actors stands above runtime/],
  ["a type against the layers", {
    "main.ts": uses("./actors/device.ts"),
    "actors/device.ts": 'export type { C } from "../config.ts";\n',
    "config.ts": "",
  }, /top stands above actors/],
  ["dynamic import against the layers", {
    "main.ts": uses("./actors/device.ts"),
    "actors/device.ts": 'await import("../gateways/a.ts");',
    "gateways/a.ts": "",
  }, /gateways stands above actors/],
  ["the simulator uses the service", {
    "main.ts": "",
    "config.ts": "",
    "sim/main.ts": uses("../config.ts"),
    "tools/x.ts": uses("../config.ts"),
  }, /^sim\/main\.ts imports config\.ts: the simulator speaks/],
  ["the service uses the simulator", {
    "main.ts": uses("./sim/main.ts"),
    "sim/main.ts": "",
  }, /nothing imports the simulator/],
  ["a worker named elsewhere", {
    "main.ts": 'new URL("./a_worker.ts", import.meta.url);',
    "a_worker.ts": "",
  }, /only topology\.ts names/],
  ["test code in the program", {
    "main.ts": uses("./actors/testing/fake.ts"),
    "actors/testing/fake.ts": "",
  }, /it is test code/],
  ["a dead file", { "main.ts": "", "actors/old.ts": "" }, /^actors\/old\.ts: nothing uses it$/],
  ["a file for tests alone", {
    "main.ts": "",
    "actors/old.ts": "",
    "actors/old_test.ts": uses("./old.ts"),
  }, /^actors\/old\.ts: only tests use it$/],
  ["a helper that no test uses", { "main.ts": "", "actors/testing/a.ts": "" }, /no test uses it/],
  ["a default export", { "main.ts": "export default 1;\n" }, /default export/],
  ["a package that not every start needs", {
    "main.ts": uses("./topology.ts"),
    "topology.ts": 'new URL("./a_worker.ts", import.meta.url);',
    "a_worker.ts": 'import { type A } from "./types.ts";\nimport { b } from "./b.ts";\n',
    "types.ts": 'import mqtt from "mqtt";\n',
    "b.ts":
      'import postgres from "postgres";\nimport type { Ajv } from "ajv";\nimport("./c.ts");\n',
    "c.ts": 'import { Ajv } from "ajv";\n',
  }, /^b\.ts imports postgres: every start loads it/],
  ["a barrel", { "main.ts": 'export * from "./a.ts";\n', "a.ts": "" }, /exports everything/],
  ["a name in camel case", { "main.ts": uses("./aB.ts"), "aB.ts": "" }, /snake_case/],
];

for (const [name, files, expected] of breaches) {
  Deno.test(`a breach: ${name}`, () => {
    const found = said(files);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", expected);
  });
}
