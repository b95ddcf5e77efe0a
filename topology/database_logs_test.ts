import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DiskPressure, diskPressureMemory } from "../actors/spool/disk_pressure.ts";
import { ManualClock } from "../runtime/clock.ts";
import { DatabaseLogs } from "./database_logs.ts";

function fixture() {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/devices.db`;
  const clock = new ManualClock();
  const memory = diskPressureMemory();
  const pressure = new DiskPressure(memory);
  const logs = new DatabaseLogs({
    pressure: new DiskPressure(memory),
    files: [`${directory}/absent.db`, file],
    clock,
  });
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE device (id INTEGER, saved TEXT)");
  const add = () => {
    for (let i = 0; i < 50; i++) {
      database.prepare("INSERT INTO device VALUES (?, ?)").run(i, "x".repeat(2_000));
    }
  };
  return {
    clock,
    pressure,
    database,
    add,
    logBytes: () => Deno.statSync(`${file}-wal`).size,
    [Symbol.dispose]: () => {
      logs.stop();
      database.close();
      Deno.removeSync(directory, { recursive: true });
    },
  };
}

Deno.test("a full disk is given the room of the databases' logs, once, and nothing is lost of them", () => {
  using there = fixture();
  const { clock, pressure, database, add, logBytes } = there;
  add();
  clock.advance(1_000);
  assert.ok(logBytes() > 100_000); // The disk is not full.
  pressure.raise();
  clock.advance(1_000);
  assert.equal(logBytes(), 0);
  assert.equal(database.prepare("SELECT count(*) AS rows FROM device").get()?.["rows"], 50);
  add();
  clock.advance(1_000);
  assert.ok(logBytes() > 100_000);
});

Deno.test("a log that is being read stays, and goes when the disk is full the next time", () => {
  using there = fixture();
  const { clock, pressure, database, add, logBytes } = there;
  add();
  const reading = database.prepare("SELECT * FROM device").iterate();
  reading.next();
  pressure.raise();
  clock.advance(1_000);
  assert.ok(logBytes() > 0);
  reading.return?.();
  pressure.raise();
  clock.advance(1_000);
  assert.equal(logBytes(), 0);
});
