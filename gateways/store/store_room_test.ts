import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { ManualClock } from "../../runtime/clock.ts";
import { PointWriter } from "./point_writer.ts";
import { Retention } from "./retention.ts";
import { SeriesIndex } from "./series_index.ts";
import { StoreRoom } from "./store_room.ts";
import { batchOf } from "./testing/batches.ts";
import { withStore } from "./testing/temp_store.ts";

const mib = 1024 * 1024;
const startMs = new ManualClock().now();

interface SmallDisk {
  readonly database: DatabaseSync;
  readonly room: StoreRoom;
  /** Bytes on the disk; others may fill it too. */
  capacity: number;
  used(): { readonly all: number; readonly log: number };
  /** Writes so many points as long as there is room; gives how many were written. */
  fill(points: number): number;
}

/** A store on a disk of 4 MiB. */
function withSmallDisk(use: (disk: SmallDisk) => void): Promise<void> {
  return withStore((database, path) => {
    const bytesOf = (file: string) => Deno.statSync(file).size;
    let written = 0;
    const disk: SmallDisk = {
      database,
      capacity: 4 * mib,
      used: () => {
        const log = bytesOf(`${path}-wal`);
        return { all: bytesOf(path) + log, log };
      },
      fill(points: number) {
        const end = written + points;
        const before = written;
        while (written < end) {
          const lines = Array.from(
            { length: 2_000 },
            (_, i) => `m a=1.5,b=2.5,seq=${i}i ${startMs + written + i}000000\n`,
          ).join("");
          if (disk.room.lacks(lines.length) !== undefined) break;
          assert.deepEqual(writer.write([batchOf([["d", lines]])]), { kind: "stored" });
          disk.room.keep();
          assert.ok(disk.used().all <= disk.capacity);
          written += 2_000;
        }
        return written - before;
      },
      room: new StoreRoom(database, path, (): number => disk.capacity - disk.used().all),
    };
    const writer = new PointWriter(database);
    use(disk);
  });
}

Deno.test("what is written fills the disk, not its log, and no write is begun that has no room", () =>
  withSmallDisk(({ database, room, used, fill }) => {
    const points = fill(1_000_000);
    assert.ok(points < 1_000_000);
    assert.match(room.lacks(mib)!, /disk is full/);
    const { all, log } = used();
    assert.ok(log <= 1.2 * mib, `${log} of ${all}`);
    assert.ok(all > 3.5 * mib);
    const [, inLog, moved] = Object.values(database.prepare("PRAGMA wal_checkpoint").get()!);
    assert.equal(inLog, moved);
  }));

Deno.test("on a full disk old points can be deleted, and what they held is used", () =>
  withSmallDisk((disk) => {
    const { database, room, used, fill } = disk;
    const points = fill(1_000_000);
    disk.capacity = used().all; // Others have taken what was left.
    assert.equal(fill(2_000), 0);
    const clock = new ManualClock();
    const limits = { bytesMax: 2 * mib };
    const retention = new Retention(database, new SeriesIndex(database), limits, clock);
    clock.advance(points);
    while (retention.sweep(20)) room.keep();
    assert.ok(fill(10_000) > 0);
    assert.equal(used().all, disk.capacity);
  }));

Deno.test("a write that fills the disk with its log, and fails, keeps no other from being written", () =>
  withSmallDisk((disk) => {
    const { database, room, used, fill } = disk;
    fill(2_000);
    // One page of each series, and none of it stays.
    database.exec("PRAGMA cache_size = 10; BEGIN; CREATE TABLE wide (id INTEGER, text TEXT)");
    const put = database.prepare("INSERT INTO wide VALUES (?, ?)");
    for (let i = 0; used().all < disk.capacity; i++) put.run(i, "x".repeat(3_000));
    database.exec("ROLLBACK");
    assert.match(room.lacks(1_000)!, /disk is full/);
    room.keep();
    assert.equal(room.lacks(1_000), undefined);
    assert.equal(fill(2_000), 2_000);
  }));

Deno.test("where there is room the log keeps its own", () =>
  withSmallDisk((disk) => {
    disk.capacity = 1_000 * mib;
    disk.fill(40_000);
    assert.ok(disk.used().log > 1.5 * mib);
  }));
