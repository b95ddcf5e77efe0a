/**
 * The disk of the spool fills up while the store is away.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { startLog } from "../../gateways/log/log.ts";
import { PointWriter } from "../../gateways/store/point_writer.ts";
import { openForWriting } from "../../gateways/store/store_database.ts";
import { StoreServer } from "../../gateways/store/store_server.ts";
import { batchOf } from "../../gateways/store/testing/batches.ts";
import { systemClock } from "../../runtime/clock.ts";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { readiness } from "../support/api.ts";
import { startFleet, taking } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { overHttp, overQos2, overWebSocket } from "../support/backpressure.ts";
import {
  assertConserved,
  books,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";
import { fillDisk, fillInodes, mountTmpfs, noTmpfs } from "../support/tmpfs.ts";
import { gatewayIdOf, openDataDirectory } from "../../topology/data_directory.ts";
import { diskUse } from "../../topology/disk_use.ts";

const name = "a data directory on a 2 MB tmpfs that fills: backpressure, a clear word, no crash, " +
  "and all goes on by itself";

/** A reading that there would be room for on the way there is refused, and not kept waiting. */
async function smallPost({ httpUrl }: Sluice): Promise<void> {
  for (const path of ["/api/readings?topic=bench/small", "/api/topics/bench/small"]) {
    // A shard that has just found a little room takes it, and is full again with it.
    await until("refused at once", async () => {
      const answer = await fetch(`${httpUrl}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"ts":1,"seq":1}',
      });
      const text = await answer.text();
      if (answer.status !== 429) return false;
      assert.match(text, /"urn:sluice:problem:backpressure"/);
      return Number(answer.headers.get("retry-after")) >= 1;
    });
  }
}

async function fillUp(): Promise<void> {
  await using disk = await mountTmpfs(2 * 1024 * 1024);
  await using store = await startVictoriaMetrics();
  await using sluice = await startSluice({
    dataDir: `${disk.path}/data`,
    config: {
      influx: { url: store.url },
      spool: { segmentBytes: 128 * 1024 },
      limits: { payloadBytesMax: 64 * 1024 },
    },
  });
  const full = async () => {
    const { ready, text } = await readiness(sluice.httpUrl);
    return !ready && text.includes("the disk is full");
  };
  await using load = await startFleet(sluice, {
    model: "bench",
    connections: 10,
    rate: 2_000,
    window: 50,
    "poison-every": 50, // Dead letters need the same disk.
    "duration-s": 600, // As long as this takes.
  });
  await taking(sluice);
  await store.stop();
  await until("full", full);

  // Shard after shard takes nothing more, and says so.
  await until("nothing is taken", async () => {
    const { spool } = await books(sluice.httpUrl);
    await pause(1_000);
    return (await books(sluice.httpUrl)).spool === spool;
  });
  assertConserved(await books(sluice.httpUrl));
  await smallPost(sluice);
  const senders = [
    await overQos2(sluice),
    await overHttp(sluice),
    await overWebSocket(sluice),
  ];
  assert.match(sluice.process.log, /the spool takes nothing more.*disk is full/);
  assert.ok(sluice.process.alive);

  // It resumes by itself, and who waited is served.
  await store.restart();
  await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
  await Promise.all(senders.map((waiting) => waiting()));
  await store.stop();
  await until("full again", full);

  // Killed on the full disk it comes up again, and is still full.
  await sluice.process.kill();
  await sluice.process.restart();
  await until("full after the start", full);

  load.stop();
  await store.restart();
  await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
  await load.end();
  assertConserved(await settledBooks(sluice.httpUrl));
  await load.verify("victoriametrics", store.url);
}

const embeddedName = "the embedded store's disk fills: backpressure, no crash, and all goes on " +
  "when there is room again";

async function fillUpEmbedded(): Promise<void> {
  await using disk = await mountTmpfs(4 * 1024 * 1024);
  await using sluice = await startSluice({
    dataDir: `${disk.path}/data`,
    config: { spool: { segmentBytes: 128 * 1024 }, limits: { payloadBytesMax: 64 * 1024 } },
  });
  await using load = await startFleet(sluice, {
    model: "bench",
    connections: 10,
    rate: 3_000,
    window: 50,
    "duration-s": 10,
  });
  await until("full", async () => !(await readiness(sluice.httpUrl)).ready);
  await pause(2_000);
  assertConserved(await books(sluice.httpUrl));
  assert.ok(sluice.process.alive);
  disk.resize(64 * 1024 * 1024);
  await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
  await load.end();
  assertConserved(await settledBooks(sluice.httpUrl));
  await load.verify("sluice", sluice.httpUrl);
}

const inodesName = "a data directory can be used, and says what is missing, without an inode left";

async function withoutInodes(): Promise<void> {
  await using disk = await mountTmpfs(4 * 1024 * 1024, 20);
  const root = `${disk.path}/data`;
  openDataDirectory(root).lock.release();
  fillInodes(disk);
  assert.match(diskUse(root), /no inode left.*reserve 0\.3 MiB/);
  for (let start = 0; start < 2; start++) { // The first one has the reserve's.
    openDataDirectory(root).lock.release();
    fillInodes(disk);
  }
}

const idName = "a disk that is full at the first start costs the gateway id, not the start";

async function withoutGatewayId(): Promise<void> {
  let out = "";
  const log = startLog({ level: "warning", format: "text", write: (line) => out += line });
  await using disk = await mountTmpfs(64 * 1024);
  fillDisk(disk);
  const made = gatewayIdOf(undefined, disk.path);
  assert.ok(made.startsWith(`${Deno.hostname()}-`));
  assert.ok(out.includes("the next start makes another") && out.includes(made), out);
  disk.resize(128 * 1024);
  const kept = gatewayIdOf(undefined, disk.path);
  assert.notEqual(kept, made);
  assert.equal(gatewayIdOf(undefined, disk.path), kept);
  log.close();
}

const storeName = "the embedded store opens and closes on a full disk, and all it took is there";

async function storeOnFullDisk(): Promise<void> {
  await using disk = await mountTmpfs(2 * 1024 * 1024);
  const path = `${disk.path}/store.db`;
  let points = 0;
  const use = (work: (database: DatabaseSync) => void) => {
    const database = openForWriting(path);
    work(database);
    database.close();
  };
  use((database) => { // As one that knows nothing of the disk: its log is all there is.
    const writer = new PointWriter(database);
    const write = () => {
      const lines = Array.from({ length: 500 }, (_, i) => `m v=1 ${points + i}\n`).join("");
      return writer.write([batchOf([["d", lines]])]);
    };
    while (write().kind === "stored") points += 500;
  });
  fillDisk(disk);
  const open = () =>
    new StoreServer({
      path,
      retention: {},
      clock: systemClock,
      retentionFailed: (cause) => assert.fail(String(cause)),
    });
  open().close();
  disk.resize(16 * 1024 * 1024);
  open().close();
  assert.throws(() => Deno.statSync(`${path}-wal`), Deno.errors.NotFound);
  use((database) => {
    const found = database.prepare("SELECT count(*) AS points FROM points").get();
    assert.deepEqual({ ...found }, { points });
  });
}

if (noTmpfs === undefined) {
  Deno.test(storeName, storeOnFullDisk);
  Deno.test(inodesName, withoutInodes);
  Deno.test(idName, withoutGatewayId);
  testWith(["victoria-metrics"], name, fillUp);
  Deno.test(embeddedName, fillUpEmbedded);
} else {
  for (const skipped of [name, embeddedName, inodesName, idName, storeName]) {
    Deno.test({ name: `${skipped} (skipped: ${noTmpfs})`, ignore: true, fn: fillUp });
  }
}
