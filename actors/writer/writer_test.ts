import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import type { SpoolRecord } from "../spool/record.ts";
import type { Completion } from "../spool/commit_group.ts";
import { FakeStore } from "./testing/fake_store.ts";
import { recordOf, textOf } from "./testing/records.ts";
import { recordOverheadBytes } from "./live_queue.ts";
import { Writer } from "./writer.ts";
import type { Piece } from "./piece.ts";
import { type LaneName, lanes, type WriterOptions } from "./writer_port.ts";

/** A writer with a store whose answers come when the test asks for them. */
function setUp(changes: Partial<WriterOptions> = {}) {
  const clock = new ManualClock();
  const store = new FakeStore();
  const pending = new Map<LaneName, readonly Piece[]>();
  const told: string[] = [];
  const buried: string[] = [];
  const delivered: SpoolRecord[] = [];
  const backlog: SpoolRecord[] = [];
  const durable: Completion[] = [];
  let wake: { clear(): void } | undefined;
  let reads = 0;
  let probes = 0;
  const writer: Writer = new Writer({
    clock,
    random: () => 0,
    batch: { countMax: 100, bytesMax: 1_000, ageMaxMs: 50 },
    liveBytesMax: 10_000,
    keepMs: 0,
    port: {
      write: (lane, pieces) => void pending.set(lane, pieces),
      probe: () => void probes++,
      read: () => void reads++,
      hasBacklog: () => backlog.length > 0,
      remaining: () => backlog.reduce((sum, { count }) => sum + count, 0),
      wakeIn: (ms) => {
        wake?.clear();
        wake = clock.setTimer(ms, () => writer.wake());
      },
      bury: (line, word, detail) => buried.push(`${textOf([line]).trim()} ${word} ${detail}`),
      onDurable: (completion) => durable.push(completion),
      delivered: (record) => delivered.push(record),
      spill: (record) => backlog.push(record),
      storeSeen: () => told.push("seen"),
      storeDoubted: () => told.push("doubted"),
    },
    events: {
      stored: (n) => told.push(`stored ${n}`),
      deadLettered: (reason, n) => told.push(`dead ${reason} ${n}`),
      rewritten: (n) => told.push(`rewritten ${n}`),
      rewriteRefused: (n) => told.push(`rewrite refused ${n}`),
      wrote: () => {},
      backlogUnreadable: () => assert.fail(),
      storeAway: (reason) => told.push(`away ${reason}`),
      storeAwayFor: (reason) => told.push(`still away ${reason}`),
      storeBack: (ms) => told.push(`back after ${ms}`),
      replaying: ({ written, remaining }) => told.push(`replayed ${written} of ${remaining} more`),
    },
    ...changes,
  });
  return {
    writer,
    clock,
    store,
    told,
    buried,
    delivered,
    backlog,
    pending,
    probes: () => probes,
    reads: () => reads,
    durable,
    /** The disk answers the read that is on its way. */
    answerRead(records = backlog.splice(0, 3)): void {
      assert.equal(reads--, 1);
      writer.backlog(records);
    },
    answerProbe(): void {
      assert.equal(probes--, 1);
      writer.probed(undefined);
    },
    /** The store answers what was written in a lane; false when nothing was. */
    answer(lane: LaneName): boolean {
      const pieces = pending.get(lane);
      if (pieces === undefined) return false;
      pending.delete(lane);
      writer.written(lane, store.write(pieces));
      return true;
    },
    /** Answers what was asked for until nothing is, time standing still. */
    settle(): void {
      for (let more = true; more;) {
        more = lanes.some((lane) => this.answer(lane));
        if (reads > 0) {
          more = true;
          this.answerRead();
        }
        if (probes > 0) {
          probes--;
          more = true;
          const { answer: said } = store;
          writer.probed(said !== undefined && "reason" in said ? said.reason : undefined);
        }
        for (const completion of durable.splice(0)) completion.complete();
      }
    },
  };
}

Deno.test("live records are written together, and are through when the store says yes", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.writer.live(recordOf([["a:1"], ["a:2"]]));
  t.writer.live(recordOf([["b:1"]]));
  t.settle();
  assert.equal(t.store.writes, 0); // gathers for 50 ms
  t.clock.advance(50);
  t.settle();
  assert.equal(t.store.writes, 1);
  assert.deepEqual([...t.store.lines.keys()], ["a:1", "a:2", "b:1"]);
  assert.deepEqual(t.told, ["seen", "stored 2", "stored 1"]);
  assert.equal(t.delivered.length, 2);
  assert.equal(t.writer.idle, true);
  assert.equal(t.writer.liveBytes, 0);
});

Deno.test("somebody who waits for the store's yes does not wait for the batch to fill", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.writer.live(recordOf([["a:1"]], [{ complete() {} }]));
  t.settle();
  assert.equal(t.store.writes, 1);
});

Deno.test("drain writes at once", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.writer.live(recordOf([["a:1"]]));
  t.writer.drain();
  t.settle();
  assert.equal(t.writer.idle, true);
});

Deno.test("a store that is away for another reason than before is told of again, once", () => {
  const t = setUp();
  t.writer.wake();
  for (const reason of ["refused", "refused", "404: no database", "404: no database"]) {
    t.store.answer = { kind: "retry", reason };
    t.settle();
    t.clock.advance(60_000);
  }
  t.settle();
  assert.deepEqual(t.told.filter((line) => line.includes("away")), [
    "away refused",
    "still away 404: no database",
  ]);
  assert.equal(t.writer.notReady, "404: no database");
});

Deno.test("a store that is away is asked by one write at a time, and told of once", () => {
  const t = setUp();
  t.store.answer = { kind: "retry", reason: "refused" };
  t.writer.wake();
  t.settle();
  assert.equal(t.writer.notReady, "refused");
  for (let i = 0; i < 20; i++) t.writer.live(recordOf([[`a:${i}${"x".repeat(300)}`]]));
  assert.equal(t.pending.size, 0);
  let writes = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    t.clock.advance(100);
    assert.ok(t.pending.size <= 1);
    writes += t.pending.size;
    t.settle();
  }
  assert.ok(writes > 10 && writes < 25, `${writes} writes in a minute`);
  assert.equal(t.told.filter((line) => line.startsWith("away")).length, 1);
  assert.equal(t.told.filter((line) => line.startsWith("still away")).length, 0);
  assert.equal(t.backlog.length, 17); // all but the batch that is being tried
  assert.ok(t.writer.liveBytes <= 1_500 + 3 * recordOverheadBytes);
  t.store.answer = undefined;
  for (let ms = 0; ms < 10_000; ms += 100) {
    t.clock.advance(100);
    t.settle();
  }
  assert.equal(t.store.lines.size, 20);
  assert.equal(t.writer.notReady, undefined);
  assert.deepEqual(t.told.filter((line) => /^back|^replayed/.test(line)), [
    "back after 61300",
    "replayed 17 of 0 more",
  ]);
});

Deno.test("what comes after an outage does not wait behind what came during it", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.store.answer = { kind: "retry", reason: "refused" };
  for (let i = 0; i < 8; i++) t.writer.live(recordOf([[`during:${i}`]]));
  for (let ms = 0; ms < 5_000; ms += 100) {
    t.clock.advance(100);
    t.settle();
  }
  t.writer.live(recordOf([["during:8"]]));
  t.store.answer = undefined;
  while (!t.answer("live")) t.clock.advance(100); // the batch that was tried all the time
  const before = t.store.lines.size;
  assert.equal(t.backlog.length > 0, true);
  t.writer.live(recordOf([["after:1"]], [{ complete() {} }]));
  assert.equal(t.answer("live"), true);
  assert.deepEqual([...t.store.lines.keys()].slice(before), ["after:1"]);
  for (let ms = 0; ms < 5_000; ms += 100) {
    t.clock.advance(100);
    t.settle();
  }
  assert.equal(t.store.lines.size, 10);
});

Deno.test("once it overflowed, memory takes records again when half of it is free", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.store.answer = { kind: "retry", reason: "refused" };
  for (let i = 0; i < 12; i++) t.writer.live(recordOf([[`a:${i}${"x".repeat(300)}`]]));
  const spilled = t.backlog.length;
  assert.ok(spilled > 0);
  t.writer.live(recordOf([["small:1"]]));
  assert.equal(t.backlog.length, spilled + 1);
});

Deno.test("live readings do not wait for the replay", () => {
  const t = setUp();
  for (let i = 0; i < 9; i++) t.backlog.push(recordOf([[`old:${i}`]]));
  t.writer.wake();
  t.answerProbe();
  t.answerRead();
  assert.equal(textOf(t.pending.get("replay")!), "old:0\nold:1\nold:2\n");
  t.writer.live(recordOf([["new:1"]], [{ complete() {} }]));
  assert.equal(textOf(t.pending.get("live")!), "new:1\n");
  assert.equal(t.answer("live"), true);
  assert.deepEqual([...t.store.lines.keys()], ["new:1"]);
});

Deno.test("a replay beside live readings leaves them their share of the time", () => {
  const t = setUp();
  for (let i = 0; i < 6; i++) t.backlog.push(recordOf([[`old:${i}`]]));
  t.writer.wake();
  t.answerProbe();
  t.answerRead();
  t.writer.live(recordOf([["new:1"]], [{ complete() {} }]));
  t.answer("live");
  t.clock.advance(80);
  t.answer("replay");
  t.settle();
  assert.equal(t.store.lines.size, 4);
  t.clock.advance(79);
  t.settle();
  assert.equal(t.store.lines.size, 4);
  t.clock.advance(1);
  t.settle();
  assert.equal(t.store.lines.size, 7);
});

Deno.test("bad lines are found beside the live lane, buried with the store's reason, and counted", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  const first = recordOf([["a:1"], ["b:1!", "b:1"], ["a:2"]]);
  t.writer.live(first);
  t.writer.drain();
  t.answer("live"); // refused
  t.writer.live(recordOf([["c:1"]]));
  assert.equal(t.answer("live"), true);
  assert.ok(t.store.lines.has("c:1"));
  assert.equal(t.delivered.length, 1);
  t.settle();
  assert.deepEqual(t.buried, ["b:1! store_rejected 400: bad line"]);
  assert.deepEqual([...t.store.lines.keys()].sort(), ["a:1", "a:2", "b:1", "c:1"]);
  assert.ok(t.told.includes("dead store_rejected 1"));
  assert.deepEqual(t.delivered.at(-1), first);
  // From now on b is written apart, so that it does not hold up the others.
  t.writer.live(recordOf([["a:3"], ["b:2!"], ["a:4"]]));
  assert.equal(textOf(t.pending.get("live")!), "a:3\na:4\n");
  assert.equal(textOf(t.pending.get("sift")!), "b:2!\n");
  t.settle();
  assert.equal(t.writer.idle, true);
});

Deno.test("a record is not through before its dead letters are durable", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  t.writer.live(recordOf([["a:1!"]]));
  t.writer.drain();
  t.answer("live");
  assert.equal(t.buried.length, 1);
  assert.equal(t.delivered.length, 0);
  assert.equal(t.writer.idle, false);
  t.settle();
  assert.equal(t.delivered.length, 1);
});

Deno.test("413 sends less at once, now and later; a line that is too large alone is buried", () => {
  const t = setUp({
    batch: { countMax: 10_000, bytesMax: 300_000, ageMaxMs: 50 },
    liveBytesMax: 1e7,
  });
  t.store.bytesMax = 70_000;
  t.writer.wake();
  t.settle();
  const line = (device: string, length: number) => `${device}:${"x".repeat(length)}`;
  t.writer.live(recordOf(Array.from({ length: 25 }, (_, i) => [line(`d${i}`, 10_000)])));
  t.writer.drain();
  t.settle();
  assert.equal(t.store.lines.size, 25);
  const { writes } = t.store;
  t.writer.live(recordOf(Array.from({ length: 12 }, (_, i) => [line(`e${i}`, 10_000)])));
  t.settle();
  assert.equal(t.store.lines.size, 37);
  assert.equal(t.store.writes, writes + 2); // learnt
  t.writer.live(recordOf([[line("f", 80_000)]]));
  t.settle();
  assert.equal(t.buried.length, 1);
  assert.ok(t.buried[0]!.endsWith("store_too_large 413"));
});

Deno.test("what is written again is not counted again", () => {
  const t = setUp();
  const record = recordOf([["a:1"], ["b:1!"]]);
  record.again = true;
  t.backlog.push(record);
  t.writer.wake();
  t.settle();
  assert.deepEqual(t.told.filter((line) => /stored|dead|rewri/.test(line)), [
    "rewritten 1",
    "rewrite refused 1",
  ]);
});

Deno.test("after its last write a volatile store is looked after for a while, then left alone", () => {
  const t = setUp({ keepMs: 30_000 });
  t.writer.wake();
  t.settle();
  t.writer.live(recordOf([["a:1"]]));
  t.writer.drain();
  t.settle();
  const seen = () => t.told.filter((line) => line === "seen").length;
  const before = seen();
  for (let second = 0; second < 60; second++) {
    t.clock.advance(1_000);
    t.settle();
  }
  assert.equal(seen() - before, 11);
  t.clock.advance(600_000);
  assert.equal(t.probes(), 0);
});

Deno.test("a backlog that cannot be read is tried again", () => {
  const t = setUp();
  t.backlog.push(recordOf([["a:1"]]));
  t.writer.wake();
  t.answerProbe();
  t.answerRead([]); // it could not be read
  t.clock.advance(999);
  t.settle();
  assert.equal(t.store.lines.size, 0);
  t.clock.advance(1);
  t.settle();
  assert.equal(t.store.lines.size, 1);
});

Deno.test("a backlog that the store refuses is not read on while its dead letters wait for the disk", () => {
  const t = setUp();
  t.writer.wake();
  t.settle();
  for (let i = 0; i < 100; i++) t.backlog.push(recordOf([[`d${i}:!`]]));
  const go = () => {
    for (let more = true; more;) {
      more = lanes.some((lane) => t.answer(lane));
      if (t.reads() === 0) continue;
      t.answerRead();
      more = true;
    }
  };
  t.writer.wake();
  go();
  assert.ok(t.buried.length > 0 && t.buried.length < 50, `${t.buried.length}`);
  while (t.durable.length > 0) {
    for (const completion of t.durable.splice(0)) completion.complete();
    t.clock.advance(3_000);
    go();
  }
  assert.equal(t.buried.length, 100);
  assert.equal(t.delivered.length, 100);
});
