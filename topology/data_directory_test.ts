import assert from "node:assert/strict";
import { DirectoryInUseError } from "../actors/segment_log/lock.ts";
import { gatewayIdOf, openDataDirectory, orphansOf } from "./data_directory.ts";

Deno.test("a data directory is made, held by one, and free again when released", async () => {
  const root = `${await Deno.makeTempDir()}/deep/data`;
  const first = openDataDirectory(root);
  assert.throws(() => openDataDirectory(root), DirectoryInUseError);
  first.lock.release();
  openDataDirectory(root).lock.release();
  await Deno.remove(root, { recursive: true });
});

Deno.test("a directory that cannot be made says which, and what to do", () => {
  assert.throws(
    () => openDataDirectory("/proc/nothing/here"),
    /Cannot use the data directory \/proc\/nothing\/here: .*SLUICE_DATA_DIR/,
  );
});

Deno.test("the gateway id is the configured one, or made once and kept", async () => {
  const root = await Deno.makeTempDir();
  assert.equal(gatewayIdOf("mine", root), "mine");
  const made = gatewayIdOf(undefined, root);
  assert.ok(made.startsWith(`${Deno.hostname()}-`));
  assert.equal(gatewayIdOf(undefined, root), made);
  await Deno.remove(root, { recursive: true });
});

Deno.test("spools of shards that are no more go to the next in line", async () => {
  const root = await Deno.makeTempDir();
  for (const name of ["0", "1", "2", "elsewhere", "x"]) Deno.mkdirSync(`${root}/${name}`);
  Deno.symlinkSync(`${root}/elsewhere`, `${root}/3`);
  Deno.writeTextFileSync(`${root}/5`, "a file");
  assert.deepEqual(orphansOf(root, 4), [[], [], [], []]);
  assert.deepEqual(orphansOf(root, 2).map((list) => list.sort()), [[`${root}/2`], [`${root}/3`]]);
  await Deno.remove(root, { recursive: true });
});

Deno.test("a directory where the note of the number of shards belongs is told at once", async () => {
  const root = await Deno.makeTempDir();
  Deno.mkdirSync(`${root}/shards`);
  assert.throws(() => openDataDirectory(root), /\/shards must be a file\. Move it away/);
  await Deno.remove(root, { recursive: true });
});
