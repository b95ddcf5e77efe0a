/**
 * Files of the data directory that are damaged: a start without them where that can be, else one clear
 * word and the exit code 73, at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { KeptDatabase } from "../../gateways/mqtt/kept/kept_database.ts";
import { openForWriting } from "../../gateways/store/store_database.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { runWithConfig, temporaryDirectory } from "../support/run.ts";
import { getText, metrics, type Sluice, startSluice, until } from "../support/sluice.ts";

const pageBytes = 4_096;
const text = new TextEncoder().encode("this is no database, whatever its name says\n".repeat(400));

/** Overwrites pages of a SQLite file, from the second on: the first says that it is one. */
async function spoil(file: string, from = 1, to = Infinity): Promise<void> {
  const bytes = await Deno.readFile(file);
  const end = Math.min(bytes.length, to * pageBytes);
  for (let at = from * pageBytes; at < end; at += pageBytes) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(end, at + pageBytes)));
  }
  await Deno.writeFile(file, bytes);
}

/** A file with something in it. */
function database(file: string, version = 0): void {
  const made = new DatabaseSync(file);
  made.exec(`CREATE TABLE mine (x); INSERT INTO mine VALUES (1); PRAGMA user_version = ${version}`);
  made.close();
}

const store = (what: RegExp) =>
  new RegExp(
    `^sluice: Cannot start store: Cannot use the embedded store \\S+/store\\.db: ${what.source}`,
  );
const accounts = (what: RegExp) =>
  new RegExp(
    `^sluice: Cannot use the data directory: the accounts in \\S+/accounts\\.db: ${what.source}`,
  );

/** What is wrong, and the one line that tells of it. */
const ends: Readonly<Record<string, readonly [(dir: string) => unknown, RegExp]>> = {
  "a store that is no database": [
    (dir) => Deno.writeFile(`${dir}/store.db`, text),
    store(/file is not a database\. Put another copy in its place, move it away/),
  ],
  "a store whose pages are overwritten": [
    async (dir) => {
      openForWriting(`${dir}/store.db`).close();
      await spoil(`${dir}/store.db`);
    },
    store(/database disk image is malformed\. Put another copy/),
  ],
  "a store that was cut off": [
    async (dir) => {
      openForWriting(`${dir}/store.db`).close();
      await Deno.truncate(`${dir}/store.db`, 3 * pageBytes);
    },
    store(/database disk image is malformed\. Put another copy/),
  ],
  "a store of a newer version": [
    (dir) => database(`${dir}/store.db`, 99),
    store(/it has schema version 99 and this Sluice knows up to \d+, start a newer one\. /),
  ],
  "a store of another program": [
    (dir) => database(`${dir}/store.db`),
    store(/it is of another program\. Put another copy/),
  ],
  "a store that is a directory": [
    (dir) => Deno.mkdir(`${dir}/store.db`),
    /^sluice: Cannot use the data directory: \S+\/store\.db must be a file\. Move it away/,
  ],
  "accounts that are damaged": [
    (dir) => Deno.writeFile(`${dir}/accounts.db`, text),
    accounts(/it is damaged: file is not a database\. Put another copy in its place, or move/),
  ],
  "accounts whose pages are overwritten": [
    async (dir) => {
      const file = `${dir}/accounts.db`;
      database(file);
      await spoil(file);
    },
    accounts(/it is damaged: .*\. Put another copy/),
  ],
  "kept sessions of a newer version": [
    (dir) => database(`${dir}/sessions.db`, 99),
    /^sluice: Cannot use the data directory: \S+\/sessions\.db: it has schema version 99 and .*, start a newer one\. /,
  ],
  "a spool that is a file": [
    async (dir) => {
      await Deno.mkdir(`${dir}/spool`);
      await Deno.writeFile(`${dir}/spool/0`, text);
    },
    /^sluice: Cannot use the data directory: \S+\/spool\/0 must be a directory\. Move it away/,
  ],
};

for (const [what, [damage, says]] of Object.entries(ends)) {
  Deno.test(`${what}: one line says so, and the start ends with 73`, async () => {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    await Deno.mkdir(dataDir);
    await damage(dataDir);
    const { code, stderr } = await runWithConfig({
      dataDir,
      shards: 1,
      auth: { required: true },
      mqtt: { listen: `127.0.0.1:${freePort()}` },
      http: { listen: `127.0.0.1:${freePort()}` },
    });
    assert.equal(code, 73, stderr);
    const lines = stderr.trim().split("\n");
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0]!, says);
  });
}

Deno.test("what a start can do without is put aside, and what is lost with it is said", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await Deno.mkdir(`${dataDir}/spool/0`, { recursive: true });
  for (const name of ["devices", "retained"]) await Deno.writeFile(`${dataDir}/${name}.db`, text);
  new KeptDatabase(`${dataDir}/sessions.db`, 0).close();
  await spoil(`${dataDir}/sessions.db`);
  await Deno.writeTextFile(`${dataDir}/spool/0/checkpoint`, "segment of what");
  await using sluice = await startSluice({ dataDir, config: { shards: 1 } });
  const { log } = sluice.process;
  for (
    const says of [
      /what was saved of the devices is damaged and was put aside/,
      /the retained messages are damaged and were put aside/,
      /the kept sessions are damaged and were put aside: their clients subscribe anew/,
    ]
  ) assert.match(log, says);
  for (const name of ["devices", "retained", "sessions"]) {
    assert.ok((await Deno.stat(`${dataDir}/${name}.db.damaged`)).isFile);
  }
  assert.doesNotMatch(log, /ERROR.*pubsub/);
  assert.ok((await getText(`${sluice.httpUrl}/readyz`)).ok);
});

/** Of the spool's segment. */
async function spoilFirstRecord(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (!name.endsWith(".seg")) continue;
    const bytes = await Deno.readFile(`${directory}/${name}`);
    crypto.getRandomValues(bytes.subarray(100, 200));
    await Deno.writeFile(`${directory}/${name}`, bytes);
  }
}

const firstMs = 1_700_000_000_000;

/** Stores a reading of each of these ms after the first. */
async function post({ httpUrl }: Sluice, times: readonly number[]): Promise<void> {
  const readings = times.map((ms) => ({ value: ms, ts: firstMs + ms }));
  const response = await fetch(`${httpUrl}/api/readings?topic=bench/a`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(readings),
  });
  assert.equal(response.status, 204, await response.text());
}

/** Said to each who asks for what is damaged, once in the log, and counted; the rest is answered. */
async function historyOfDamaged({ httpUrl, process }: Sluice): Promise<void> {
  for (let asked = 0; asked < 3; asked++) {
    const answer = await fetch(`${httpUrl}/api/readings?limit=10000`);
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    const { type, detail } = await answer.json();
    assert.equal(type, "urn:sluice:problem:history-damaged");
    assert.match(detail, /store\.db: .*malformed\. Stop Sluice, put another copy of the file/);
  }
  const { text: first } = await getText(`${httpUrl}/api/readings?limit=1`);
  assert.equal(JSON.parse(first).items.length, 1, first);
  assert.equal(process.log.split("the embedded store is damaged").length, 2, process.log);
  const sum = await metrics(httpUrl);
  assert.equal(sum("sluice_history_failed_total", 'why="damaged"'), 3);
}

Deno.test("damage that comes up later: readings stay in the spool, /readyz says what to do", async () => {
  await using sluice = await startSluice({ config: { shards: 1 } });
  const readings = 10_000;
  await post(sluice, Array.from({ length: readings - 1 }, (_, i) => i));
  await post(sluice, [readings - 1]);
  await until(
    "all are stored",
    async () =>
      (await metrics(sluice.httpUrl))("sluice_readings_settled_total", 'outcome="stored"') ===
        readings,
  );
  assert.equal(await sluice.process.stop(), 0);
  const file = `${sluice.dataDir}/store.db`;
  const pages = (await Deno.stat(file)).size / pageBytes;
  await spoil(file, Math.floor(pages / 3), Math.floor(pages * 2 / 3));
  await spoilFirstRecord(`${sluice.dataDir}/spool/0`);
  await sluice.process.restart();
  assert.match(sluice.process.log, /ERROR.*files on the disk are damaged.* spoolBytes=[1-9]/);
  await post(sluice, [readings / 2]);
  await until("it is not ready", async () => !(await getText(`${sluice.httpUrl}/readyz`)).ok);
  const { text: says } = await getText(`${sluice.httpUrl}/readyz`);
  assert.match(says, /malformed\. Stop Sluice, put another copy of the file in its place/);
  await post(sluice, [readings]); // It goes on to take readings.
  await historyOfDamaged(sluice);
  assert.equal((await metrics(sluice.httpUrl))("sluice_spool_readings"), 2);
});
