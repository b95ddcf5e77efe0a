import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../runtime/clock.ts";
import { DiskPressure, diskPressureMemory } from "./disk_pressure.ts";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import type { CommitPart } from "./spool_options.ts";
import { addReading, commitOnce, linesOf, openTestSpool } from "./testing/test_spool.ts";

const pad = "x".repeat(300);

Deno.test("a group is durable, offered to the writer and acknowledged, in that order", async () => {
  const { spool, live, told, files } = await openTestSpool(new MemoryFiles());
  const order: string[] = [];
  addReading(spool, "a");
  addReading(spool, "b");
  spool.group.durable.push({
    complete: () => order.push(`durable ${live.length} ${[...files.nodes.values()].length}`),
  });
  spool.group.stored.push({ complete: () => order.push("stored") });
  assert.equal(await commitOnce(spool), true);
  assert.deepEqual(linesOf(live[0]!), ["a", "b"]);
  assert.deepEqual(live[0]!.devices, ["RPi_1"]);
  assert.deepEqual(order, ["durable 1 1"]);
  spool.delivered(live[0]!);
  assert.deepEqual(order, ["durable 1 1", "stored"]);
  assert.deepEqual(told, ["committed 2"]);
  spool.close();
});

Deno.test("a sweep at any moment of a commit takes nothing from the next start", async () => {
  for (let ticks = 0; ticks < 20; ticks++) {
    const files = new MemoryFiles();
    const { spool } = await openTestSpool(files);
    addReading(spool, "a");
    const commit = spool.begin()!;
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    spool.sweep();
    await commit;
    const next = await openTestSpool(files);
    assert.equal(next.report.pending, 1, `swept after ${ticks} microtasks`);
    next.spool.close();
  }
});

Deno.test("what comes while a commit is on its way goes into the next", async () => {
  const { spool, live } = await openTestSpool(new MemoryFiles());
  addReading(spool, "a");
  const first = spool.begin()!;
  addReading(spool, "b");
  assert.equal(spool.begin(), undefined);
  await first;
  spool.end();
  await commitOnce(spool);
  assert.deepEqual(live.map(linesOf), [["a"], ["b"]]);
  spool.close();
});

Deno.test("who waits without a reading is told after the commits before", async () => {
  const { spool, files } = await openTestSpool(new MemoryFiles());
  let completed = 0;
  spool.group.durable.push({ complete: () => completed++ });
  spool.group.stored.push({ complete: () => completed++ });
  assert.equal(await commitOnce(spool), true);
  assert.equal(completed, 2);
  assert.equal(files.nodes.size, 0);
});

Deno.test("after a crash every acknowledged reading is there, with its device and fingerprint", async () => {
  const files = new MemoryFiles();
  const { spool } = await openTestSpool(files);
  addReading(spool, "a");
  await commitOnce(spool);
  addReading(spool, "not committed");
  const next = await openTestSpool(files.crashed());
  assert.deepEqual(next.recovered, ["a"]);
  assert.equal(next.report.pending, 1);
  assert.equal(next.spool.backlog, 1);
  const [record] = await next.spool.read(1);
  assert.deepEqual([record!.devices, record!.fingerprintHi[0], record!.fingerprintLo[0]], [
    ["RPi_1"],
    0xfeed,
    1,
  ]);
  assert.equal(record!.again, false);
  assert.equal(next.spool.backlog, 0);
  next.spool.delivered(record!);
  assert.equal(next.spool.hasBacklog, false);
  next.spool.close();
});

Deno.test("what the writer does not take is read again from disk, in order", async () => {
  const { spool, live } = await openTestSpool(new MemoryFiles(), { live: () => false });
  for (let i = 0; i < 12; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
  }
  assert.equal(live.length, 0);
  assert.equal(spool.backlog, 12);
  const read: string[] = [];
  for (let i = 12; spool.hasBacklog; i++) {
    if (i < 20) {
      addReading(spool, `${i} ${pad}`); // the backlog grows while it is read
      await commitOnce(spool);
    }
    for (const record of await spool.read(500)) {
      read.push(...linesOf(record).map((line) => line.split(" ")[0]!));
      spool.delivered(record);
    }
  }
  assert.deepEqual(read, Array.from({ length: 20 }, (_, i) => `${i}`));
  spool.close();
});

Deno.test("who waits for the store's yes is told though the record went by the disk", async () => {
  const told: string[] = [];
  const { spool } = await openTestSpool(new MemoryFiles(), { live: () => false });
  for (const name of ["a", "b"]) {
    addReading(spool, `${name} ${pad}`);
    spool.group.stored.push({ complete: () => told.push(name) });
    await commitOnce(spool);
  }
  assert.deepEqual(told, []);
  for (const record of await spool.read(5_000)) spool.delivered(record);
  assert.deepEqual(told, ["a", "b"]);
  spool.close();
});

Deno.test("who waits for the store's yes is told when the reading is given up", async () => {
  let told = 0;
  const { spool } = await openTestSpool(new MemoryFiles(), {
    live: () => false,
    whenFull: "drop_oldest",
    bytesMax: 2_000,
  });
  for (let i = 0; i < 40; i++) {
    addReading(spool, `${i} ${pad}`);
    spool.group.stored.push({ complete: () => told++ });
    await commitOnce(spool);
  }
  const left = (await spool.read(10_000)).length;
  assert.ok(left > 0 && left < 40);
  assert.equal(told, 40 - left);
  spool.close();
});

Deno.test("full means waiting, said once, and it goes on by itself when the store takes some", async () => {
  const { spool, live, told } = await openTestSpool(new MemoryFiles(), {
    bytesMax: 3_000,
    keepMs: 0,
  });
  let acknowledged = 0;
  let waits = 0;
  for (let i = 0; i < 30; i++) {
    addReading(spool, `${i} ${pad}`);
    spool.group.durable.push({ complete: () => acknowledged++ });
    const done = await commitOnce(spool);
    if (done !== true) waits++;
  }
  assert.ok(waits > 10);
  assert.equal(spool.stalled, true);
  assert.ok(spool.bytes <= 3_000);
  assert.equal(acknowledged, live.length);
  assert.deepEqual(told.filter((line) => !line.startsWith("committed")), ["stalled full"]);
  for (const record of live.splice(0)) spool.delivered(record);
  assert.equal(await commitOnce(spool), true);
  assert.deepEqual(told.filter((line) => !line.startsWith("committed")), [
    "stalled full",
    "resumed",
  ]);
  assert.notEqual(await commitOnce(spool), true); // what gathered meanwhile is larger than the spool
  for (const record of live.splice(0)) spool.delivered(record);
  assert.equal(await commitOnce(spool), true); // so it is let in alone
  assert.equal(acknowledged, 30);
  spool.close();
});

Deno.test("drop_oldest gives up the oldest by count", async () => {
  const { spool, told } = await openTestSpool(new MemoryFiles(), {
    bytesMax: 3_000,
    whenFull: "drop_oldest",
    live: () => false,
  });
  for (let i = 0; i < 20; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
  }
  let lost = 0;
  for (const line of told) lost += Number(/^lost dropped (\d+)/.exec(line)?.[1] ?? 0);
  assert.ok(lost > 5);
  assert.equal(spool.backlog + lost, 20);
  const left = await spool.read(Infinity);
  assert.equal(left.length, 20 - lost);
  assert.ok(linesOf(left.at(-1)!)[0]!.startsWith("19 "));
  spool.close();
});

Deno.test("too old: drop_oldest drops, backpressure waits", async () => {
  for (const whenFull of ["drop_oldest", "backpressure"] as const) {
    const clock = new ManualClock();
    const { spool, told } = await openTestSpool(
      new MemoryFiles(),
      { whenFull, ageMaxMs: 60_000, live: () => false },
      clock,
    );
    addReading(spool, "old");
    await commitOnce(spool);
    clock.advance(60_001);
    addReading(spool, "new");
    const done = await commitOnce(spool);
    if (whenFull === "drop_oldest") {
      assert.equal(done, true);
      assert.deepEqual(told, ["committed 1", "lost dropped 1", "committed 1"]);
    } else {
      assert.notEqual(done, true);
      assert.deepEqual(told, ["committed 1", "stalled full"]);
    }
    spool.close();
  }
});

Deno.test("a clock that is set ahead, or back, makes nothing too old, nor keeps it young", async () => {
  for (const setByMs of [86_400_000, -86_400_000]) {
    const clock = new ManualClock();
    const { spool, told } = await openTestSpool(
      new MemoryFiles(),
      { whenFull: "drop_oldest", ageMaxMs: 60_000, live: () => false },
      clock,
    );
    addReading(spool, "before");
    await commitOnce(spool);
    clock.setBy(setByMs);
    addReading(spool, "after");
    await commitOnce(spool);
    spool.sweep();
    assert.deepEqual(told, ["committed 1", "committed 1"]);
    clock.advance(60_001);
    spool.sweep();
    assert.deepEqual(told.slice(2), ["lost dropped 2"]);
    spool.close();
  }
});

Deno.test("a disk that is full gives up what is only kept, then waits, then resumes", async () => {
  const files = new MemoryFiles();
  files.capacityBytes = 2_000;
  const { spool, live, told } = await openTestSpool(files);
  for (let i = 0; i < 40; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
    for (const record of live.splice(0)) spool.delivered(record); // all of it is only kept
  }
  assert.ok(!told.includes("stalled no_space"));
  for (let i = 0; i < 10; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
  }
  assert.equal(told.filter((line) => line === "stalled no_space").length, 1);
  files.capacityBytes = 20_000;
  assert.equal(await commitOnce(spool), true);
  assert.equal(told.at(-2), "resumed");
  spool.close();
});

Deno.test("a spool gives up what it only keeps when another one of its disk finds no room", async () => {
  const memory = diskPressureMemory();
  const { spool, live } = await openTestSpool(new MemoryFiles(), {
    pressure: new DiskPressure(memory),
  });
  for (let i = 0; i < 40; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
  }
  for (const record of live) spool.delivered(record);
  spool.sweep();
  const kept = spool.bytes;
  new DiskPressure(memory).raise();
  spool.sweep();
  const after = spool.bytes;
  assert.ok(after > 0 && after < kept, `${kept} to ${after} bytes`);
  spool.sweep();
  assert.equal(spool.bytes, after);
  spool.close();
});

Deno.test("waits between tries grow to a second", async () => {
  const files = new MemoryFiles();
  files.fault = (operation) => {
    if (operation === "write") throw new Error("EIO");
  };
  const { spool, told } = await openTestSpool(files);
  addReading(spool, "a");
  const waits = [];
  for (let i = 0; i < 7; i++) waits.push(await commitOnce(spool));
  assert.deepEqual(waits, [50, 100, 200, 400, 800, 1_000, 1_000]);
  assert.deepEqual(told, ["stalled failed"]);
  spool.close();
});

Deno.test("what was stored is kept, written again when the store was lost, and counted once", async () => {
  const clock = new ManualClock();
  const { spool, live } = await openTestSpool(new MemoryFiles(), {}, clock);
  for (let i = 0; i < 5; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
  }
  for (const record of live.splice(0, 4)) spool.delivered(record);
  spool.sweep();
  assert.equal(spool.keeps, true);
  spool.storeLost();
  assert.equal(spool.backlog, 0); // no reading that the store never took
  const again = await spool.read(Infinity);
  assert.deepEqual(again.map((record) => [record.sequence, record.again]), [
    [0, true],
    [1, true],
    [2, true],
    [3, true],
  ]);
  spool.spill(again[3]!);
  assert.equal(spool.backlog, 0);
  for (const record of again) spool.delivered(record);
  assert.equal((await spool.read(Infinity)).length, 1);
  spool.close();
});

Deno.test("segments go when the store was seen to run on for long enough", async () => {
  const clock = new ManualClock();
  const { spool, live, files } = await openTestSpool(new MemoryFiles(), {}, clock);
  for (let i = 0; i < 10; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
    spool.delivered(live.pop()!);
  }
  for (let second = 0; second < 33; second++) {
    spool.storeSeen();
    spool.sweep();
    clock.advance(1_000);
  }
  assert.ok(spool.bytes > 3_000);
  for (let second = 0; second < 10; second++) {
    spool.storeSeen();
    spool.sweep();
    clock.advance(1_000);
  }
  assert.equal(spool.bytes, 0);
  assert.deepEqual([...files.nodes.keys()], ["spool/checkpoint"]);
  // Numbers go on behind the checkpoint: a new segment is not taken for an old one.
  addReading(spool, "new");
  await commitOnce(spool);
  const next = await openTestSpool(files.crashed((_path, tail) => tail));
  assert.deepEqual(next.recovered, ["new"]);
  const last = await openTestSpool(next.files);
  addReading(last.spool, "newer");
  await commitOnce(last.spool);
  assert.deepEqual((await openTestSpool(files)).recovered, ["new"]);
});

Deno.test("a restart writes again only what the store may not have", async () => {
  const clock = new ManualClock();
  const changes = { keepMs: 0, segmentBytes: 5_000 };
  const { spool, live, files } = await openTestSpool(new MemoryFiles(), changes, clock);
  for (let i = 0; i < 10; i++) {
    addReading(spool, `${i} ${pad}`);
    await commitOnce(spool);
    clock.advance(1_000);
    if (i < 7) spool.delivered(live.pop()!);
  }
  spool.close();
  const next = await openTestSpool(files, changes, clock);
  const again = (await next.spool.read(10_000)).flatMap(linesOf);
  assert.deepEqual(again.map((line) => line.split(" ")[0]), ["7", "8", "9"]);
  assert.equal(next.report.pending, 3);
  assert.equal(next.recovered.length, 10); // all are known, should they come again
});

Deno.test("what is stored stays on the disk until it is written down elsewhere, to be known after a crash", async () => {
  const clock = new ManualClock();
  let rememberedUpToMs = 0;
  const changes = { keepMs: 0, rememberedUpToMs: () => rememberedUpToMs };
  const { spool, live, files } = await openTestSpool(new MemoryFiles(), changes, clock);
  addReading(spool, "one");
  await commitOnce(spool);
  spool.delivered(live.pop()!);
  clock.advance(3_600_000); // however long that takes
  spool.sweep();
  spool.close();
  const next = await openTestSpool(files, changes, clock);
  assert.deepEqual([next.recovered, next.report.pending], [["one"], 0]);
  rememberedUpToMs = clock.now() - 3_600_000;
  next.spool.sweep();
  assert.equal(next.spool.bytes, 0);
  next.spool.close();
});

Deno.test("records that cannot be read any more are counted, and the rest comes", async () => {
  const { spool, files, told } = await openTestSpool(new MemoryFiles(), { live: () => false });
  for (let i = 0; i < 6; i++) {
    addReading(spool, `${i} ${pad}`);
    addReading(spool, `${i}b`);
    await commitOnce(spool);
  }
  const [first, second] = [...files.nodes.values()];
  first!.bytes[600]! ^= 1;
  second!.bytes = second!.bytes.slice(0, 900); // and the end of another is gone
  const read = (await spool.read(Infinity)).map((record) => linesOf(record)[0]!.split(" ")[0]);
  assert.deepEqual(read, ["0", "2", "3", "4"]);
  assert.deepEqual(told.filter((line) => line.startsWith("lost")), [
    "lost corrupt 2",
    "lost corrupt 2",
  ]);
  assert.equal(spool.backlog, 0);
  spool.close();
});

Deno.test("the second log is durable before anyone is told, and is tried again alone", async () => {
  let writes = 0;
  let fails = 1;
  const part: CommitPart = {
    dirty: false,
    commit: () => fails-- > 0 ? Promise.reject(new Error("EIO")) : Promise.resolve(),
    committed: () => writes++,
  };
  const { spool, live, told } = await openTestSpool(new MemoryFiles(), { part });
  let durable = 0;
  addReading(spool, "a");
  spool.group.durable.push({ complete: () => durable++ });
  assert.equal(await commitOnce(spool), 50);
  assert.deepEqual([durable, writes, live.length], [0, 0, 0]);
  assert.equal(await commitOnce(spool), true);
  assert.deepEqual([durable, writes, live.length], [1, 1, 1]);
  assert.deepEqual(told, ["stalled failed", "resumed", "committed 1"]);
  spool.close();
});

Deno.test("a record whose second log is still on its way is not taken for done with", async () => {
  const second = Promise.withResolvers<void>();
  const part: CommitPart = { dirty: false, commit: () => second.promise, committed() {} };
  const { spool, files } = await openTestSpool(new MemoryFiles(), { part });
  addReading(spool, "a");
  const commit = spool.begin()!;
  while ([...files.nodes.values()].every(({ syncedBytes }) => syncedBytes === 0)) {
    await Promise.resolve();
  }
  for (let i = 0; i < 20; i++) await Promise.resolve();
  spool.sweep();
  assert.deepEqual((await openTestSpool(files.crashed())).recovered, ["a"]);
  second.resolve();
  await commit;
  spool.end();
  spool.close();
});

Deno.test("a bound that cannot hold two segments is refused", async () => {
  await assert.rejects(
    openTestSpool(new MemoryFiles(), { segmentBytes: 1_000, bytesMax: 1_999 }),
    RangeError,
  );
});

Deno.test("whatever the disk, the store and the power do, what was acknowledged is stored or on disk", async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant("add") },
    { weight: 5, arbitrary: fc.constant("commit") },
    { weight: 3, arbitrary: fc.constant("deliver") },
    { weight: 2, arbitrary: fc.constant("spill") },
    { weight: 2, arbitrary: fc.constant("read") },
    { weight: 1, arbitrary: fc.constantFrom("sweep", "lost", "tick") },
    { weight: 1, arbitrary: fc.constantFrom("no_space", "eio", "heal", "crash") },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120 }),
      fc.nat({ max: 200 }),
      async (steps, cut) => {
        const clock = new ManualClock();
        let t = await openTestSpool(new MemoryFiles(), { bytesMax: 2_500 }, clock);
        const acknowledged = new Set<string>();
        const stored = new Set<string>();
        let number = 0;
        let open: string[] = [];
        for (const kind of steps) {
          if (kind === "add") {
            const line = `${number++}${pad.slice(0, number % 200)}`;
            addReading(t.spool, line);
            open.push(line);
            t.spool.group.durable.push({ complete: () => acknowledged.add(line) });
          } else if (kind === "commit") {
            if (await commitOnce(t.spool) === true) open = [];
          } else if (kind === "deliver" && t.live.length > 0) {
            const record = t.live.shift()!;
            for (const line of linesOf(record)) stored.add(line);
            t.spool.delivered(record);
            t.spool.storeSeen();
          } else if (kind === "spill" && t.live.length > 0) {
            t.spool.spill(t.live.pop()!);
          } else if (kind === "read") {
            t.live.push(...await t.spool.read(300).catch(() => []));
          } else if (kind === "sweep") t.spool.sweep();
          else if (kind === "tick") clock.advance(10_000);
          else if (kind === "lost") t.spool.storeLost();
          else if (kind === "no_space") t.files.capacityBytes = t.files.usedBytes + cut;
          else if (kind === "eio") {
            t.files.fault = (operation) => {
              if (operation === "sync" || operation === "truncate") throw new Error("EIO");
            };
          } else if (kind === "heal") {
            t.files.capacityBytes = Infinity;
            t.files.fault = () => {};
          } else if (kind === "crash") {
            const files = t.files.crashed((_path, tail) => Math.min(cut, tail));
            t = await openTestSpool(files, { bytesMax: 2_500 }, clock);
            open = [];
          }
        }
        const end = await openTestSpool(t.files.crashed(() => 0), {}, clock);
        const there = new Set([...end.recovered, ...stored]);
        for (const line of acknowledged) assert.ok(there.has(line), line.slice(0, 8));
        assert.equal(end.spool.backlog, end.recovered.length);
        assert.deepEqual((await end.spool.read(Infinity)).flatMap(linesOf), end.recovered);
        end.spool.close();
      },
    ),
    { numRuns: 300, seed: 5 },
  );
});

Deno.test("what is known otherwise is not shown again, and goes to the store all the same", async () => {
  const files = new MemoryFiles();
  const first = await openTestSpool(files, { random32: () => 7 });
  addReading(first.spool, "a");
  await commitOnce(first.spool);
  const after = files.crashed();
  const second = await openTestSpool(after, { random32: () => 8, told: new Set([7]) });
  assert.deepEqual([second.recovered, second.report.pending], [[], 1]);
  addReading(second.spool, "b");
  await commitOnce(second.spool);
  const third = await openTestSpool(after.crashed(), { told: new Set([7]) });
  assert.deepEqual([third.recovered, third.report.pending], [["b"], 2]);
  assert.deepEqual((await third.spool.read(1_000)).flatMap(linesOf), ["a", "b"]);
});

Deno.test("what is left of the disk to another counts as full, and is told", async () => {
  let room = 2_000;
  const { spool, live, told } = await openTestSpool(new MemoryFiles(), {
    leavesRoom: (bytes) => bytes <= room,
  });
  addReading(spool, pad);
  assert.equal(await commitOnce(spool), true);
  room = 0;
  addReading(spool, pad);
  assert.notEqual(await commitOnce(spool), true);
  assert.deepEqual(told, ["committed 1", "stalled no_space"]);
  room = 2_000;
  assert.equal(await commitOnce(spool), true);
  assert.deepEqual([told.at(-1), live.length], ["committed 1", 2]);
  spool.close();
});

/** A second log on the same disk that has `bytes` to write. */
function memoryLetters(files: MemoryFiles) {
  const file = files.create("letters");
  let at = 0;
  const letters = {
    bytes: 0,
    get dirty() {
      return letters.bytes > 0;
    },
    commit: () =>
      Promise.try(() => {
        while (letters.bytes > 0) {
          const count = file.write(new Uint8Array(letters.bytes), at);
          at += count;
          letters.bytes -= count;
        }
      }),
    committed: () => {},
  };
  return letters satisfies CommitPart;
}

Deno.test("a disk that is full before the spool is: drop_oldest drops, for readings and for dead letters", async () => {
  const files = new MemoryFiles();
  const letters = memoryLetters(files);
  const { spool, told } = await openTestSpool(files, {
    whenFull: "drop_oldest",
    live: () => false,
    part: letters,
  });
  files.capacityBytes = 2_000;
  for (let i = 0; i < 30; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
  }
  const lost = () => told.filter((line) => line.startsWith("lost dropped")).length;
  const before = lost();
  assert.ok(before > 0);
  letters.bytes = 1_500;
  assert.equal(await commitOnce(spool), true);
  assert.ok(lost() > before);
  assert.ok(!told.some((line) => line.startsWith("stalled")));
  files.capacityBytes = 100; // Nothing is left to give way to a letter.
  letters.bytes = 500;
  assert.notEqual(await commitOnce(spool), true);
  assert.ok(told.includes("stalled no_space"));
  spool.close();
});

Deno.test("what was replayed takes no room once it is deleted: its file is closed", async () => {
  const files = new MemoryFiles();
  const { spool } = await openTestSpool(files, { live: () => false, keepMs: 0 });
  for (let i = 0; i < 7; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
  }
  const records = await spool.read(Infinity);
  assert.equal(records.length, 7);
  for (const record of records) spool.delivered(record);
  spool.sweep();
  assert.ok(files.usedBytes < 100, `${files.usedBytes} bytes`); // The checkpoint.
  spool.close();
  assert.equal(files.openFiles, 0);
});

Deno.test("drop_oldest on a full disk gives up one segment, also while the replay reads it", async () => {
  const files = new MemoryFiles();
  const { spool, told } = await openTestSpool(files, {
    live: () => false,
    whenFull: "drop_oldest",
  });
  for (let i = 0; i < 16; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
  }
  const [record] = await spool.read(1);
  assert.ok(linesOf(record!)[0]!.startsWith("0 "));
  files.capacityBytes = files.usedBytes;
  addReading(spool, `16 ${pad}`);
  assert.equal(await commitOnce(spool), true);
  assert.deepEqual(told.filter((line) => line.startsWith("lost")), ["lost dropped 2"]);
  const left = (await spool.read(Infinity)).flatMap(linesOf).map((line) => line.split(" ")[0]);
  assert.deepEqual(left, Array.from({ length: 14 }, (_, i) => `${i + 3}`));
  spool.close();
  assert.equal(files.openFiles, 0);
});

Deno.test("files that were removed by hand are lost and counted, and neither replay nor spool waits for them", async () => {
  const files = new MemoryFiles();
  const { spool, told } = await openTestSpool(files, { live: () => false, keepMs: 0 });
  for (let i = 0; i < 12; i++) {
    addReading(spool, `${i} ${pad}`);
    assert.equal(await commitOnce(spool), true);
  }
  const segments = [...files.nodes.keys()];
  assert.ok(segments.length > 3);
  files.nodes.delete(segments[1]!);
  files.nodes.delete(segments.at(-1)!); // It is being written.
  const read: string[] = [];
  const readAll = async () => {
    for (const record of await spool.read(Infinity)) {
      read.push(...linesOf(record).map((line) => line.split(" ")[0]!));
      spool.delivered(record);
    }
    spool.sweep();
  };
  await readAll();
  addReading(spool, "later");
  assert.equal(await commitOnce(spool), true);
  await readAll();
  const lost = told.flatMap((line) => /^lost corrupt (\d+)$/.exec(line)?.[1] ?? []);
  assert.equal(read.at(-1), "later");
  assert.equal(read.length - 1 + lost.reduce((sum, count) => sum + Number(count), 0), 12);
  assert.equal(lost.length, 2);
  assert.ok(!told.some((line) => line.startsWith("trouble")), `${told}`);
  assert.equal(spool.backlog, 0);
  assert.equal(spool.bytes, 0);
  spool.close();
  assert.equal(files.openFiles, 0);
});

Deno.test("a segment that is dropped while the replay reads it is counted, and the rest is read", async () => {
  let dropped = 0;
  for (let ticks = 0; ticks < 40; ticks++) {
    const files = new MemoryFiles();
    const { spool, told } = await openTestSpool(files, {
      live: () => false,
      whenFull: "drop_oldest",
    });
    for (let i = 0; i < 16; i++) {
      addReading(spool, `${i} ${pad}`);
      assert.equal(await commitOnce(spool), true);
    }
    files.capacityBytes = files.usedBytes;
    const reading = spool.read(Infinity);
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    addReading(spool, `16 ${pad}`);
    assert.equal(await commitOnce(spool), true);
    const read = [...await reading, ...await spool.read(Infinity)].flatMap(linesOf);
    const lost = told.flatMap((line) => /^lost dropped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
    assert.equal(read.length + lost.reduce((sum, count) => sum + count, 0), 17, `${ticks} ticks`);
    assert.equal(spool.backlog, 0);
    dropped += lost.length;
    spool.close();
    assert.equal(files.openFiles, 0);
  }
  assert.ok(dropped > 0);
});
