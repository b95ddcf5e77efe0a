import assert from "node:assert/strict";
import { subscriptionFiles } from "./subscription_files.ts";

Deno.test("what a session subscribed to is remembered by client id, for this user alone", async () => {
  const directory = await Deno.makeTempDir();
  const unexpected = (action: string, cause: unknown) => assert.fail(`${action}: ${cause}`);
  const memory = subscriptionFiles(`${directory}/broker`, unexpected);
  assert.deepEqual(memory.load("sluice/../x"), []);
  memory.save("sluice/../x", ["a/+"]);
  memory.save("sluice/../x", ["a/+", "b"]);
  const again = subscriptionFiles(`${directory}/broker`, unexpected);
  assert.deepEqual(again.load("sluice/../x"), ["a/+", "b"]);
  const files = [...Deno.readDirSync(`${directory}/broker`)].map(({ name }) => name);
  assert.deepEqual(files, ["sluice%2F..%2Fx.json"]);
  assert.equal(Deno.statSync(`${directory}/broker/${files[0]}`).mode! & 0o777, 0o600);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a file that is damaged or cannot be written is told, and costs no more than itself", async () => {
  const directory = await Deno.makeTempDir();
  const told: string[] = [];
  const memory = subscriptionFiles(directory, (action) => told.push(action));
  for (const text of ['["a', "{}", '["a",1]', ""]) {
    Deno.writeTextFileSync(`${directory}/x.json`, text);
    assert.deepEqual(memory.load("x"), [], text);
  }
  assert.deepEqual(told, Array(4).fill(`read ${directory}/x.json`));
  memory.save("x", ["a"]);
  assert.deepEqual(memory.load("x"), ["a"]);
  const long = "c".repeat(300);
  memory.save(long, ["a"]);
  assert.deepEqual(told.slice(4), [`write ${directory}/${long}.json`]);
  assert.deepEqual(memory.load(long), []);
  await Deno.remove(directory, { recursive: true });
});
