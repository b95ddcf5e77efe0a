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

/** What is in the way of `<root>/data`, and what is said of it; RegExps without the path. */
const inTheWay: Readonly<Record<string, readonly [(root: string) => void, RegExp]>> = {
  "a file": [
    (root) => Deno.writeTextFileSync(`${root}/data`, ""),
    /data is no directory\. Move it away, or choose another with SLUICE_DATA_DIR$/,
  ],
  "a link to nothing": [
    (root) => Deno.symlinkSync(`${root}/mount`, `${root}/data`),
    /data is a link to \S+\/mount, which is not there\. Make or mount that, or choose/,
  ],
  "a file where the spool belongs": [
    (root) => {
      Deno.mkdirSync(`${root}/data`);
      Deno.writeTextFileSync(`${root}/data/spool`, "");
    },
    /data\/spool is no directory\. Move it away/,
  ],
  "a directory where the lock belongs": [
    (root) => Deno.mkdirSync(`${root}/data/lock`, { recursive: true }),
    /data\/lock must be a file\. Move it away/,
  ],
};

for (const [what, [put, says]] of Object.entries(inTheWay)) {
  Deno.test(`${what} in the way: told as what it is, with what to do`, async () => {
    const root = await Deno.makeTempDir();
    put(root);
    assert.throws(() => openDataDirectory(`${root}/data`), says);
    await Deno.remove(root, { recursive: true });
  });
}

Deno.test("a data directory below a file", async () => {
  const file = await Deno.makeTempFile();
  assert.throws(() => openDataDirectory(`${file}/data`), /: \S+ is no directory\. Move it away/);
  await Deno.remove(file);
});

Deno.test({
  name: "a data directory below one that may not be entered",
  ignore: Deno.uid() === 0, // Root may enter everywhere.
  fn: async () => {
    const root = await Deno.makeTempDir();
    await Deno.mkdir(`${root}/closed/data`, { recursive: true });
    await Deno.chmod(`${root}/closed`, 0o600);
    assert.throws(
      () => openDataDirectory(`${root}/closed/data`),
      /this user may not enter a directory on the way to \S+\. Give this user the right/,
    );
    await Deno.chmod(`${root}/closed`, 0o700);
    await Deno.remove(root, { recursive: true });
  },
});

Deno.test("the gateway id is the configured one, or made once and kept", async () => {
  const root = await Deno.makeTempDir();
  assert.equal(gatewayIdOf("mine", root), "mine");
  const made = gatewayIdOf(undefined, root);
  assert.ok(made.startsWith(`${Deno.hostname()}-`));
  assert.equal(gatewayIdOf(undefined, root), made);
  await Deno.remove(root, { recursive: true });
});

Deno.test("a gateway id that cannot be kept for another reason is told with its directory", async () => {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(`${root}/gateway_id.new`);
  assert.throws(() => gatewayIdOf(undefined, root), /^Error: Cannot use the data directory /);
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
