import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../runtime/clock.ts";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { DiskPressure, diskPressureMemory } from "./disk_pressure.ts";
import type { SpoolRecord } from "./record.ts";
import { scanSpool } from "./scan.ts";
import { addReading, commitOnce, openTestSpool } from "./testing/test_spool.ts";

/** A line that no other has the length of: a test's fingerprints are lengths. */
const lineOf = (number: number): string => "x".repeat(200 + number);

/** No states of devices can be saved. */
const unsaved = { keepMs: 0, rememberedUpToMs: () => 0 };

/** Lengths of lines `from` to `to`, without the last. */
const lengths = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => lineOf(from + i).length);

function assertKnown(known: readonly number[], wanted: readonly number[]): void {
  assert.deepEqual(wanted.filter((length) => !known.includes(length)), []);
}

Deno.test("killed on a full disk, readings that the store had and that gave way are known", async () => {
  const files = new MemoryFiles();
  files.capacityBytes = 4_000;
  const { spool, live } = await openTestSpool(files, unsaved);
  for (let i = 0; i < 40; i++) {
    addReading(spool, lineOf(i));
    assert.equal(await commitOnce(spool), true);
    spool.delivered(live.pop()!);
  }
  const stored = lengths(30, 40);
  assertKnown((await openTestSpool(files.crashed(), unsaved)).known, stored);

  // The store is away: what it does not have takes all of the room.
  let taken = 40;
  for (;; taken++) {
    addReading(spool, lineOf(taken));
    if (await commitOnce(spool) !== true) break;
  }
  assert.ok(taken > 45, `${taken}`);
  const after = await openTestSpool(files.crashed(), unsaved);
  assertKnown(after.known, [...stored, ...lengths(40, taken)]);
  assert.equal(after.report.pending, after.recovered.length);

  // It is back, and all goes on.
  for (const record of live.splice(0)) spool.delivered(record);
  assert.equal(await commitOnce(spool), true);
  spool.delivered(live.pop()!);
  assertKnown((await openTestSpool(files.crashed(), unsaved)).known, lengths(taken - 5, taken + 1));
  spool.close();
});

Deno.test("the spool's own limit costs no fingerprints either", async () => {
  const files = new MemoryFiles();
  const limits = { ...unsaved, bytesMax: 3_000 };
  const { spool, live } = await openTestSpool(files, limits);
  for (let i = 0; i < 40; i++) {
    addReading(spool, lineOf(i));
    assert.equal(await commitOnce(spool), true);
    assert.ok(spool.bytes <= 3_000);
    spool.delivered(live.pop()!);
  }
  const scanned: number[] = [];
  const visit = (record: SpoolRecord) => scanned.push(...record.fingerprintLo) > 0;
  await scanSpool({ files: files.crashed(), directory: "spool", without: new Set(), visit });
  assertKnown(scanned, lengths(30, 40));
  assertKnown((await openTestSpool(files.crashed(), limits)).known, lengths(30, 40));
  spool.close();
});

Deno.test("what gives way for another spool is written down without a reading that comes", async () => {
  const memory = diskPressureMemory();
  const pressed = { ...unsaved, pressure: new DiskPressure(memory) };
  const { spool, live, files } = await openTestSpool(new MemoryFiles(), pressed);
  for (let i = 0; i < 12; i++) {
    addReading(spool, lineOf(i));
    await commitOnce(spool);
    spool.delivered(live.pop()!);
  }
  const before = spool.bytes;
  for (let i = 0; i < 12; i++) {
    new DiskPressure(memory).raise();
    spool.sweep();
    await commitOnce(spool);
    assert.equal(spool.carries, false);
  }
  assert.ok(spool.bytes < before / 4, `${before} to ${spool.bytes} bytes`);
  assertKnown((await openTestSpool(files.crashed(), unsaved)).known, lengths(0, 12));
  spool.close();
});

Deno.test("nothing remains once the states of devices are saved, nor for want of any room", async () => {
  const clock = new ManualClock();
  let savedUpToMs = 0;
  const changes = { keepMs: 0, rememberedUpToMs: () => savedUpToMs };
  const files = new MemoryFiles();
  files.capacityBytes = 4_000;
  const { spool, live } = await openTestSpool(files, changes, clock);
  for (let i = 0; i < 40; i++) {
    addReading(spool, lineOf(i));
    await commitOnce(spool);
    spool.delivered(live.pop()!);
  }
  files.capacityBytes = 700; // Others have taken the rest.
  addReading(spool, lineOf(300));
  assert.equal(await commitOnce(spool), true);
  spool.delivered(live.pop()!);
  savedUpToMs = clock.now();
  spool.sweep();
  assert.deepEqual([spool.bytes, spool.carries], [0, false]);
  spool.close();
});

Deno.test("after a start, what remains of old readings does not make newer ones beside it old", async () => {
  const clock = new ManualClock();
  let savedUpToMs = 0;
  const memory = diskPressureMemory();
  const changes = { keepMs: 0, rememberedUpToMs: () => savedUpToMs };
  const pressed = { ...changes, pressure: new DiskPressure(memory) };
  const { spool, live, files } = await openTestSpool(new MemoryFiles(), pressed, clock);
  const oldMs = clock.now();
  for (let i = 0; i < 6; i++) {
    if (i === 5) clock.advance(60_000);
    addReading(spool, lineOf(i));
    await commitOnce(spool);
    spool.delivered(live.pop()!);
  }
  new DiskPressure(memory).raise();
  spool.sweep();
  await commitOnce(spool); // the old ones behind it
  spool.sweep();
  const after = files.crashed((_path, tail) => tail);
  const next = await openTestSpool(after, changes, clock);
  savedUpToMs = oldMs + 1;
  assert.equal(next.report.pending, 0);
  next.spool.sweep();
  assertKnown((await openTestSpool(after.crashed(), changes, clock)).known, lengths(5, 6));
  next.spool.close();
});

Deno.test("whatever gives way, the newest that the store has are known, and commits go on", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("take", "take", "take", "store", "press", "crash"), {
        maxLength: 150,
      }),
      async (steps) => {
        const memory = diskPressureMemory();
        const open = (files: MemoryFiles) =>
          openTestSpool(files, { ...unsaved, pressure: new DiskPressure(memory) });
        let t = await open(new MemoryFiles());
        t.files.capacityBytes = 4_000;
        let taken = 0;
        const newest = () => lengths(Math.max(0, taken - 5), taken);
        const store = async () => {
          for (const record of t.live.splice(0)) t.spool.delivered(record);
          for (const record of await t.spool.read(Infinity)) t.spool.delivered(record);
        };
        for (const step of steps) {
          if (step === "take") {
            if (t.spool.isClean) addReading(t.spool, lineOf(taken));
            if (await commitOnce(t.spool) === true) taken++;
          } else if (step === "store") await store();
          else if (step === "press") {
            new DiskPressure(memory).raise();
            t.spool.sweep();
            if (t.spool.isClean) await commitOnce(t.spool);
          } else {
            t = await open(t.files.crashed());
            t.files.capacityBytes = 4_000;
            assertKnown(t.known, newest());
          }
        }
        assertKnown((await open(t.files.crashed())).known, newest());
        await store();
        if (t.spool.isClean) addReading(t.spool, lineOf(taken));
        assert.equal(await commitOnce(t.spool), true);
        t.spool.close();
      },
    ),
    { numRuns: 200, seed: 7 },
  );
});
