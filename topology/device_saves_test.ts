import assert from "node:assert/strict";
import { ChangeCounter } from "../actors/device_changes.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import { ManualClock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { DeviceSaves, saveIntervalMs } from "./device_saves.ts";

type Pair = [id: string, saved: string];

/** Devices that changed, in order; `disk` may be made to refuse. */
function open(changed: (sinceMs: number) => readonly (Pair | undefined)[]) {
  const clock = new ManualClock();
  const time = new SteadyTime(clock);
  const disk = { refuses: false, saved: [] as string[] };
  const asked: number[] = [];
  const commit: { held: Completion[] | undefined } = { held: undefined };
  const saves = new DeviceSaves({
    directory: {
      *changedSince(sinceMs) {
        asked.push(sinceMs - clock.now());
        yield* changed(sinceMs);
      },
    },
    changes: new ChangeCounter(),
    clock,
    time,
    durable(completion) {
      if (commit.held === undefined) completion.complete();
      else commit.held.push(completion);
    },
    save(devices) {
      if (disk.refuses) throw new Error("no room");
      disk.saved.push(...devices.map(([id]) => id));
    },
  });
  return { clock, disk, asked, commit, saves };
}

Deno.test("nothing is saved of a device before all that it had accepted is on the disk", () => {
  const { clock, disk, commit, saves } = open(() => [["a", "1"]]);
  const held: Completion[] = [];
  commit.held = held;
  saves.start();
  const beganMs = clock.now() + 1_000;
  clock.advance(60_000); // the disk is full, let us say
  assert.deepEqual([disk.saved, saves.upToMs, held.length], [[], 0, 1]);
  held.pop()!.complete();
  assert.deepEqual([disk.saved, saves.upToMs], [["a"], beganMs]);
  clock.advance(saveIntervalMs);
  saves.close(false);
  held.pop()!.complete(); // too late
  assert.deepEqual([disk.saved, clock.pending], [["a"], 0]);
});

Deno.test("all is saved up to the moment at which a save began, once all of it is written", () => {
  const { clock, disk, saves } = open(() => [["a", "1"], undefined, ["b", "2"]]);
  saves.start();
  assert.equal(saves.upToMs, 0);
  clock.advance(1_000); // the first chunk
  const beganMs = clock.now();
  assert.deepEqual([disk.saved, saves.upToMs], [["a"], 0]);
  clock.advance(10);
  assert.deepEqual([disk.saved, saves.upToMs], [["a", "b"], beganMs]);
  saves.close(true);
});

Deno.test("what could not be saved is asked for again, from where the last whole save was", () => {
  const { clock, disk, asked, saves } = open(() => [["a", "1"], undefined, ["b", "2"]]);
  saves.found(clock.now() - 60_000); // by recovery
  saves.start();
  clock.advance(1_000);
  disk.refuses = true;
  clock.advance(1);
  assert.equal(saves.upToMs, 0);
  const failedMs = clock.now();
  disk.refuses = false;
  clock.advance(saveIntervalMs + 1);
  assert.equal(saves.upToMs, failedMs + saveIntervalMs);
  assert.deepEqual(asked.map((ms) => Math.round(ms / 10_000)), [-7, -8]);
  assert.deepEqual(disk.saved, ["a", "a", "b"]);
  saves.close(true);
});

Deno.test("devices that take much are saved fewer at a time", () => {
  const much = "x".repeat(600_000);
  const { clock, disk, saves } = open(() => [["a", much], ["b", much], ["c", much]]);
  saves.start();
  clock.advance(1_000);
  assert.deepEqual(disk.saved, ["a", "b"]);
  clock.advance(1);
  assert.deepEqual(disk.saved, ["a", "b", "c"]);
  saves.close(true);
});

Deno.test("closing in the middle of a save loses nothing of it", () => {
  const { clock, disk, saves } = open(() => [["a", "1"], undefined, ["b", "2"]]);
  saves.start();
  clock.advance(1_000);
  saves.close(true);
  assert.deepEqual(disk.saved, ["a", "a", "b"]);
  clock.advance(saveIntervalMs);
  assert.equal(disk.saved.length, 3);
});

Deno.test("a turn that found nothing to save asks for no commit", () => {
  const changed: (Pair | undefined)[] = [undefined, undefined, ["a", "1"], undefined, undefined];
  const { clock, disk, commit, saves } = open(() => changed);
  const held: Completion[] = [];
  commit.held = held;
  saves.start();
  clock.advance(1_000);
  assert.equal(held.length, 0);
  clock.advance(2);
  assert.equal(held.length, 1); // for "a"
  held.pop()!.complete();
  assert.deepEqual(disk.saved, ["a"]);
  clock.advance(1);
  assert.deepEqual([held.length, saves.upToMs], [0, 0]);
  clock.advance(1);
  held.pop()!.complete(); // the end of the save
  assert.ok(saves.upToMs > 0);
  saves.close(true);
});
