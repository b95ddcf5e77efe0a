import assert from "node:assert/strict";
import type { SinkResult } from "../../actors/sink.ts";
import type { ActorRef, TellResult } from "../../runtime/actor.ts";
import { ManualClock, systemClock } from "../../runtime/clock.ts";
import { DeadLetters } from "../../runtime/dead_letters.ts";
import { Link } from "../../runtime/remote_link.ts";
import { PublishedNames } from "../../runtime/remote_names.ts";
import { EmbeddedSink, type StoreLink } from "./embedded_sink.ts";
import { askHistory, historyName, HistoryService, parseQuestion } from "./history_service.ts";
import { StoreServer } from "./store_server.ts";
import { batchOf } from "./testing/batches.ts";

const never = new AbortController().signal;

interface Scene {
  readonly path: string;
  readonly sink: EmbeddedSink;
  readonly near: Link;
  readonly far: Link;
  readonly clock: ManualClock;
}

/** A sink and a store at the two ends of a link. */
async function withLink(use: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "sluice_sink_" });
  const path = `${dir}/store.db`;
  const clock = new ManualClock();
  const server = new StoreServer({
    path,
    retention: { ageMaxMs: 60_000 },
    clock,
    retentionFailed: (cause) => {
      throw cause;
    },
  });
  const history = new HistoryService(path, clock);
  const names = new PublishedNames();
  names.publish(historyName, history, parseQuestion);
  const { near, far } = linkPair(names);
  const sink = new EmbeddedSink();
  server.serve(far);
  sink.attach(near);
  try {
    await use({ path, sink, near, far, clock });
  } finally {
    await sink.close();
    near.close("done");
    far.close("done");
    history.close();
    server.close();
    await Deno.remove(dir, { recursive: true });
  }
  assert.equal(clock.pending, 0, "no timer is left");
}

function linkPair(names = new PublishedNames()): { readonly near: Link; readonly far: Link } {
  const { port1, port2 } = new MessageChannel();
  const deadLetters = new DeadLetters();
  const none = new PublishedNames();
  return {
    near: new Link(port1, { peer: "store", names: none, deadLetters, clock: systemClock }),
    far: new Link(port2, { peer: "shard-0", names, deadLetters, clock: systemClock }),
  };
}

Deno.test("what the store said yes to is in the history", () =>
  withLink(async ({ sink, near, clock }) => {
    const time = `${clock.now()}000001`;
    const batches = [batchOf([["d", `m v=1 ${time}\n`]]), batchOf([["e", `m v=2 ${time}\n`]])];
    assert.deepEqual(await sink.write(batches, never), { kind: "stored" });
    assert.deepEqual(await sink.probe(never), { ok: true });
    const answer = await askHistory(near, new Map([["device", "e"]]));
    assert.deepEqual(answer, {
      kind: "page",
      page: {
        items: [{ time: "2023-11-14T22:13:20.000000001Z", device: "e", metric: "v", value: 2 }],
      },
    });
    const limited = await askHistory(near, new Map([["limit", "1"]]));
    assert.ok(limited.kind === "page" && limited.page.next !== undefined);
    const wrong = await askHistory(near, new Map([["limit", "x"]]));
    assert.equal(wrong.kind, "invalid");
  }));

Deno.test("a batch larger than a link takes at once arrives whole", () =>
  withLink(async ({ sink, near }) => {
    const text = "x".repeat(200);
    const lines = Array.from({ length: 30_000 }, (_, i) => `m s="${text}" ${i}\n`).join("");
    assert.ok(lines.length > 6_000_000);
    const writes = [1, 2].map(() => sink.write([batchOf([["d", lines]])], never));
    assert.deepEqual(await Promise.all(writes), [{ kind: "stored" }, { kind: "stored" }]);
    const half = batchOf([["d", lines]]);
    assert.equal((await sink.write([half, half], never)).kind, "too_large");
    const answer = await askHistory(near, new Map([["agg", "count"]]));
    assert.ok(answer.kind === "page");
    assert.equal(answer.page.items[0]!.value, 30_000);
  }));

Deno.test("a line that the store cannot read is refused with its reason", () =>
  withLink(async ({ sink }) => {
    const result = await sink.write([batchOf([["d", "nonsense\n"]])], never);
    assert.ok(result.kind === "rejected" && !result.partial);
    assert.match(result.reason, /expected a measurement/);
  }));

Deno.test("old points go in time, while the store serves", () =>
  withLink(async ({ sink, near, clock }) => {
    await sink.write([batchOf([["d", `m v=1 1\nm v=2 ${clock.now()}000000\n`]])], never);
    clock.advance(10_000);
    const answer = await askHistory(near, new Map());
    assert.ok(answer.kind === "page");
    assert.deepEqual(answer.page.items.map(({ value }) => value), [2]);
  }));

Deno.test("without a store a write is to be tried again, and so is one whose store is lost", async () => {
  const sink = new EmbeddedSink();
  const away: SinkResult = { kind: "retry", reason: "the embedded store is being started" };
  const batches = [batchOf([["d", "m v=1 1\n"]])];
  assert.deepEqual(await sink.write(batches, never), away);
  const caller = new AbortController();
  const probe = sink.probe(caller.signal);
  caller.abort();
  assert.deepEqual(await probe, { ok: false, reason: away.reason });
  const first = linkPair(), second = linkPair();
  sink.attach(first.near);
  const lost = sink.write(batches, never);
  first.near.close("the Worker crashed");
  assert.deepEqual(await lost, away);
  assert.deepEqual(await sink.write(batches, never), away);
  sink.attach(second.near);
  const replaced = sink.write(batches, never);
  sink.attach(linkThatTakes([]));
  assert.deepEqual(await replaced, away);
  const closed = sink.write(batches, never);
  await sink.close();
  assert.deepEqual(await closed, away);
  for (const { near, far } of [first, second]) {
    near.close("done");
    far.close("done");
  }
});

type Handlers = Parameters<StoreLink["open"]>[0];

function linkThatTakes(taken: ArrayBuffer[], opened: Handlers[] = []): StoreLink {
  return {
    open: (handlers) => void opened.push(handlers),
    post: () => "accepted",
    transfer: (buffer) => (taken.push(buffer), "accepted"),
  };
}

Deno.test("a write that was called off is settled at once, and its late answer is nobody's", async () => {
  const sink = new EmbeddedSink();
  const opened: Handlers[] = [];
  sink.attach(linkThatTakes([], opened));
  const caller = new AbortController();
  const expected = { kind: "retry", reason: "the write was called off" };
  const write = sink.write([], caller.signal);
  caller.abort();
  assert.deepEqual(await write, expected);
  assert.deepEqual(await sink.write([], caller.signal), expected);
  opened[0]!.control!({ id: 1, result: { kind: "stored" } });
  assert.throws(() => opened[0]!.control!({ id: 1, result: { kind: "maybe" } }), TypeError);
  assert.throws(() => opened[0]!.control!("stored"), TypeError);
  await sink.close();
});

Deno.test("questions to the history that come together have a turn of the event loop each", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sluice_sink_" });
  const history = new HistoryService(`${dir}/store.db`, systemClock);
  const answers: unknown[] = [];
  const answered = Promise.withResolvers<void>();
  const replyTo: ActorRef<unknown> = {
    path: "asker",
    tell: (answer) => {
      answers.push(answer);
      answered.resolve();
      return "accepted";
    },
  };
  assert.equal(history.tell({ parameters: [], replyTo }), "accepted");
  assert.equal(history.tell({ parameters: [], replyTo }), "full"); // It waits at the link.
  assert.deepEqual(answers, []);
  await answered.promise;
  assert.equal(history.tell({ parameters: [], replyTo }), "accepted");
  history.close();
  assert.equal(answers.length, 1);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("an answer that is too large is said to have failed; one without room is sent again", async () => {
  const clock = new ManualClock();
  const history = new HistoryService("/nowhere/store.db", clock);
  const tries: unknown[] = [];
  /** What comes of each try to answer; then the history takes the next question. */
  const ask = async (...results: (TellResult | Error)[]) => {
    tries.length = 0;
    const tried = Promise.withResolvers<void>();
    const replyTo: ActorRef<unknown> = {
      path: "asker",
      tell: (reply) => {
        tries.push(reply);
        const result = results.shift() ?? "accepted";
        if (result instanceof Error) throw result;
        queueMicrotask(tried.resolve);
        return result;
      },
    };
    assert.equal(history.tell({ parameters: [], replyTo }), "accepted");
    await tried.promise;
    return replyTo;
  };
  await ask(new RangeError("it has 9 MiB"));
  assert.equal(tries.length, 2);
  assert.match(JSON.stringify(tries[1]), /"failed".*it has 9 MiB; ask for fewer/);
  const replyTo = await ask("full", "full");
  assert.equal(history.tell({ parameters: [], replyTo }), "full");
  clock.advance(10);
  clock.advance(10);
  assert.equal(tries.length, 3);
  clock.advance(60_000);
  assert.equal(tries.length, 3);
  await ask(...Array.from({ length: 9_000 }, () => "full" as const));
  for (let ms = 0; ms < 20_000; ms += 10) clock.advance(10);
  assert.ok(tries.length > 900 && tries.length < 1_100, `${tries.length} tries`);
  await ask("accepted");
  await ask("full");
  history.close();
  clock.advance(1_000);
  assert.equal(tries.length, 1);
});

Deno.test("a history that cannot be read says why to the one who asked", async () => {
  const history = new HistoryService("/nowhere/store.db", systemClock);
  const names = new PublishedNames();
  names.publish(historyName, history, parseQuestion);
  const { near, far } = linkPair(names);
  near.open({});
  far.open({});
  const answer = await askHistory(near, new Map());
  assert.ok(answer.kind === "failed" && !answer.damaged);
  assert.match(answer.reason, /Cannot read the embedded store store\.db: unable to open/);
  assert.throws(() => parseQuestion({ parameters: [["a"]] }), TypeError);
  near.close("done");
  far.close("done");
});
