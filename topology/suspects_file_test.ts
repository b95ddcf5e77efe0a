import assert from "node:assert/strict";
import { CodeTrace } from "../actors/code_trace.ts";
import { CodeSuspects } from "./code_suspects.ts";
import { SuspectsFile } from "./suspects_file.ts";

const encoder = new TextEncoder();

Deno.test("code that took its shard down is known to the next process, until it is stopped", async () => {
  const path = await Deno.makeTempFile({ prefix: "sluice_suspects_" });
  const file = new SuspectsFile(path);
  file.remove();
  file.remove(); // There is none.
  assert.deepEqual(file.read(), {});
  const lists: (readonly string[])[] = [];
  for (let deaths = 0; deaths < 2; deaths++) {
    const shards = [new CodeSuspects(file.read()), new CodeSuspects(file.read())] as const;
    const trace = new CodeTrace(shards[0].memory);
    trace.enter(encoder.encode("spins in a timer"));
    trace.leave();
    shards[0].died();
    lists.push(shards[0].list);
    file.write(shards);
  }
  assert.deepEqual(lists, [[], ["spins in a timer"]]);
  assert.deepEqual(new CodeSuspects(file.read()).list, ["spins in a timer"]);
  for (const damaged of ["[1]", '{"a":"b"}', "{"]) {
    await Deno.writeTextFile(path, damaged);
    assert.deepEqual(file.read(), {});
  }
  file.remove();
});

Deno.test("a device may be called like what every object has", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sluice_suspects_" });
  const file = new SuspectsFile(`${dir}/suspects.json`);
  const devices = ["__proto__", "constructor", "toString"];
  const shards = devices.map((device) => {
    const shard = new CodeSuspects();
    new CodeTrace(shard.memory).enter(encoder.encode(device));
    shard.died();
    return shard;
  });
  file.write(shards);
  assert.deepEqual([...new CodeSuspects(file.read()).list].sort(), devices);
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["suspects.json"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a file that cannot be removed keeps nobody from ending", async () => {
  const path = await Deno.makeTempDir({ prefix: "sluice_suspects_" });
  await Deno.writeTextFile(`${path}/in_the_way`, "");
  new SuspectsFile(path).remove();
  assert.ok((await Deno.stat(path)).isDirectory);
  await Deno.remove(path, { recursive: true });
});
