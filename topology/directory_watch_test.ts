import assert from "node:assert/strict";
import { lockDirectory } from "../actors/segment_log/lock.ts";
import { ManualClock } from "../runtime/clock.ts";
import { DirectoryWatch } from "./directory_watch.ts";

Deno.test("a data directory that is deleted, moved or replaced is told once", () => {
  for (
    const lose of [
      (directory: string) => Deno.removeSync(directory, { recursive: true }),
      (directory: string) => Deno.renameSync(directory, `${directory}.moved`),
      (directory: string) => {
        Deno.renameSync(directory, `${directory}.moved`);
        Deno.mkdirSync(directory);
        Deno.writeTextFileSync(`${directory}/lock`, "1\n");
      },
    ]
  ) {
    const parent = Deno.makeTempDirSync();
    const directory = `${parent}/data`;
    Deno.mkdirSync(directory);
    const lock = lockDirectory(directory);
    const clock = new ManualClock();
    let gone = 0;
    const watch = new DirectoryWatch(lock, clock, () => gone++);
    clock.advance(10_000);
    assert.equal(gone, 0);
    lose(directory);
    clock.advance(10_000);
    assert.equal(gone, 1);
    watch.stop();
    assert.equal(clock.pending, 0);
    lock.release();
    Deno.removeSync(parent, { recursive: true });
  }
});
