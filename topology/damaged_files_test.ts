/** Files of another program, and of a newer Sluice: said in one sentence, and left as they are. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { SqliteAccounts } from "../gateways/auth/sqlite_accounts.ts";
import { KeptDatabase } from "../gateways/mqtt/kept/kept_database.ts";
import { RetainedFile } from "../gateways/mqtt/pubsub/retained_file.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import { openForWriting } from "../gateways/store/store_database.ts";
import { putDamagedAside } from "./damaged_files.ts";
import { dataPaths } from "./data_directory.ts";

/** Opens a file as the service does. */
const opens = {
  devices: (file: string) => new DeviceStates(file),
  retained: (file: string) => new RetainedFile(file, 0),
  sessions: (file: string) => new KeptDatabase(file, 0),
  store: (file: string) => openForWriting(file),
  accounts: (file: string) => new SqliteAccounts(file),
} as const;

const made = {
  "another program's": ["CREATE TABLE mine (x); INSERT INTO mine VALUES (1)", /another program/],
  "another program's, of a version that is one of ours": [
    "CREATE TABLE mine (x); PRAGMA user_version = 1",
    /another program/,
  ],
  "another program's, with tables of our names": [
    ["device", "retained", "session", "points", "accounts"].map((t) => `CREATE TABLE ${t} (x);`)
      .join(""),
    /another program/,
  ],
  "a newer one's": [
    "CREATE TABLE mine (x); PRAGMA user_version = 99",
    /schema version 99 and this Sluice knows up to \d+, start a newer one/,
  ],
} as const;

for (const name of ["devices", "retained", "sessions", "store", "accounts"] as const) {
  for (const [whose, [sql, says]] of Object.entries(made)) {
    Deno.test(`${name}.db that is ${whose}: told, and not touched`, async () => {
      const root = await Deno.makeTempDir();
      const paths = dataPaths(root);
      const file = paths[name];
      const database = new DatabaseSync(file);
      database.exec(sql);
      database.close();
      const before = await Deno.readFile(file);
      assert.throws(() => opens[name](file), says);
      if (name !== "store" && name !== "accounts") {
        assert.throws(() => putDamagedAside(paths), (error: Error) => {
          assert.match(error.message, says);
          assert.match(error.message, /^Cannot use the data directory: \S+\.db: .* move it away/);
          return true;
        });
      }
      assert.deepEqual(await Deno.readFile(file), before);
      assert.deepEqual([...Deno.readDirSync(root)].map((entry) => entry.name), [`${name}.db`]);
      await Deno.remove(root, { recursive: true });
    });
  }

  Deno.test(`${name}.db has a version once it is made, and is opened again`, async () => {
    const root = await Deno.makeTempDir();
    const paths = dataPaths(root);
    for (let times = 0; times < 2; times++) await opens[name](paths[name]).close();
    assert.equal(putDamagedAside(paths).size, 0);
    using database = new DatabaseSync(paths[name], { readOnly: true });
    const { user_version: version } = database.prepare("PRAGMA user_version").get() ?? {};
    assert.ok(Number(version) > 0);
    await Deno.remove(root, { recursive: true });
  });
}

Deno.test("files of before there were versions are opened, and none is written into them", async () => {
  const root = await Deno.makeTempDir();
  const paths = dataPaths(root);
  for (const name of ["devices", "retained", "sessions"] as const) {
    opens[name](paths[name]).close();
    using earlier = new DatabaseSync(paths[name]);
    earlier.exec("PRAGMA user_version = 0");
  }
  assert.equal(putDamagedAside(paths).size, 0);
  for (const name of ["devices", "retained", "sessions"] as const) {
    opens[name](paths[name]).close();
    using now = new DatabaseSync(paths[name], { readOnly: true });
    assert.equal(now.prepare("PRAGMA user_version").get()?.["user_version"], 0);
  }
  await Deno.remove(root, { recursive: true });
});
