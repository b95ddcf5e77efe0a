/** Spool, writer and dead letters together, as actors on a real disk with a store in memory. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../runtime/actor.ts";
import { systemClock } from "../../runtime/clock.ts";
import { random32 } from "../../runtime/random.ts";
import { SteadyTime } from "../../runtime/steady_time.ts";
import { ActorSystem } from "../../runtime/system.ts";
import { DeadLetterLog } from "../dead_letters/dead_letter_log.ts";
import { diskFiles } from "../segment_log/disk_files.ts";
import type { Sink, SinkResult } from "../sink.ts";
import { FakeStore } from "../writer/testing/fake_store.ts";
import { WriterActor, type WriterDrained, type WriterMessage } from "../writer/writer_actor.ts";
import { Spool } from "./spool.ts";
import { CommitRequest, SpoolActor, type SpoolMessage } from "./spool_actor.ts";

/** One shard's durable path in `root`. */
async function startPath(root: string, store: FakeStore) {
  const counts = { committed: 0, stored: 0, dead: 0, rewritten: 0 };
  let waiter = { met: () => false, resolve: () => {} };
  const count = (name: keyof typeof counts, readings: number) => {
    counts[name] += readings;
    if (waiter.met()) waiter.resolve();
  };
  let lost = () => {};
  const sink: Sink = {
    name: "fake",
    write: (batches) => Promise.resolve<SinkResult>(store.write(batches)),
    probe: () => Promise.resolve({ ok: store.answer === undefined, reason: "refused" }),
    watch: (call) => lost = call,
    close: () => Promise.resolve(),
  };
  const { log: letters } = await DeadLetterLog.open({
    files: diskFiles,
    directory: `${root}/dead`,
    bytesMax: 1_000_000,
    now: () => Date.now(),
    random32,
    dropped: () => {},
  });
  const refs: { writer?: ActorRef<WriterMessage> } = {};
  const { spool, report } = await Spool.open({
    files: diskFiles,
    clock: systemClock,
    time: new SteadyTime(systemClock),
    directory: `${root}/spool`,
    bytesMax: 10_000_000,
    segmentBytes: 20_000,
    keepMs: 30_000,
    random32,
    part: letters,
    live: (record) => refs.writer?.tell({ kind: "live", record }) === "accepted",
    events: {
      committed: (n) => count("committed", n),
      lost: () => assert.fail("nothing is lost"),
      stalled: (_reason, detail) => assert.fail(detail),
      resumed: () => {},
      trouble: (_action, cause) => assert.fail(String(cause)),
    },
  }, () => {});
  const system = new ActorSystem();
  const request = new CommitRequest();
  const spoolRef: ActorRef<SpoolMessage> = system.spawn<SpoolMessage>({
    id: "spool",
    start: () => new SpoolActor(spool, request),
  });
  const writer = system.spawn<WriterMessage>({
    id: "writer",
    start: (context) =>
      new WriterActor({
        sink,
        spool,
        clock: systemClock,
        random: Math.random,
        batch: { countMax: 5_000, bytesMax: 100_000, ageMaxMs: 1 },
        liveBytesMax: 30_000,
        keepMs: 30_000,
        bury: (line, reason, detail) => {
          letters.add({
            form: "lines",
            topic: line.device,
            payload: line.lines,
            arrivalMs: line.record.committedMs,
            transport: "recovery",
            reason,
            detail,
          });
        },
        onDurable: (completion) => {
          spool.group.durable.push(completion);
          request.ask(spoolRef);
        },
        events: {
          stored: (n) => count("stored", n),
          deadLettered: (_reason, n) => count("dead", n),
          rewritten: (n) => count("rewritten", n),
          rewriteRefused: (n) => count("rewritten", n),
          wrote: () => {},
          backlogUnreadable: (reason) => assert.fail(reason),
          storeAway: () => {},
          storeAwayFor: () => {},
          storeBack: () => {},
          replaying: () => {},
        },
      }, context),
  });
  refs.writer = writer;
  const path = { spool, report, letters, counts, system, lost: () => lost() };
  return {
    ...path,
    /** Adds readings of one line each and resolves when they are durable. */
    add(lines: readonly string[]): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const device = { id: "RPi_1", groupNo: 0, slot: 0 };
      for (const line of lines) {
        spool.group.lines.appendText(`${line}\n`);
        spool.group.add(device, 0, 0);
      }
      spool.group.durable.push({ complete: resolve });
      request.ask(spoolRef);
      return promise;
    },
    drain: () =>
      system.ask(
        writer,
        (replyTo: ActorRef<WriterDrained>): WriterMessage => ({ kind: "drain", replyTo }),
        10_000,
      ),
    /** Resolves when the counts are so. */
    until(met: () => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiter = { met, resolve };
      if (met()) resolve();
      return promise;
    },
    async stop(): Promise<void> {
      await system.stop();
      letters.close();
    },
  };
}

Deno.test("readings reach the store once, bad ones the dead letters, and a lost store gets them again", async () => {
  const root = Deno.makeTempDirSync();
  const store = new FakeStore();
  const path = await startPath(root, store);
  for (let batch = 0; batch < 50; batch++) {
    const lines = Array.from({ length: 20 }, (_, i) => `${batch}.${i}${i === 7 ? "!" : ""}`);
    await path.add(lines);
  }
  await path.until(() => path.counts.stored + path.counts.dead === 1_000);
  assert.deepEqual(path.counts, { committed: 1_000, stored: 950, dead: 50, rewritten: 0 });
  assert.equal(store.lines.size, 950);
  assert.equal(path.letters.count, 50);
  const [first] = (await path.letters.list(1)).letters;
  assert.equal(new TextDecoder().decode(first!.payload), "0.7!\n");
  store.lines.clear(); // it restarted, and had nothing on disk
  path.lost();
  await path.until(() => path.counts.rewritten === 1_000);
  assert.equal(store.lines.size, 950);
  assert.equal((await path.drain()).complete, true);
  await path.stop();
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a store that is away costs nothing: the next start writes what it does not have", async () => {
  const root = Deno.makeTempDirSync();
  const store = new FakeStore();
  store.answer = { kind: "retry", reason: "refused" };
  const path = await startPath(root, store);
  for (let batch = 0; batch < 100; batch++) {
    await path.add(Array.from({ length: 20 }, (_, i) => `${batch}.${i} ${"x".repeat(50)}`));
  }
  assert.ok(path.spool.backlog > 1_000);
  assert.equal((await path.drain()).complete, false);
  await path.stop();
  store.answer = undefined;
  const next = await startPath(root, store);
  assert.equal(next.report.pending, 2_000);
  await next.until(() => next.counts.stored === 2_000);
  assert.equal(store.lines.size, 2_000);
  await next.stop();
  Deno.removeSync(root, { recursive: true });
});

Deno.test("stopping commits what has gathered", async () => {
  const root = Deno.makeTempDirSync();
  const store = new FakeStore();
  store.answer = { kind: "retry", reason: "refused" };
  const path = await startPath(root, store);
  const durable = path.add(["a", "b"]);
  await path.stop();
  await durable;
  const next = await startPath(root, store);
  assert.equal(next.report.pending, 2);
  await next.stop();
  Deno.removeSync(root, { recursive: true });
});
