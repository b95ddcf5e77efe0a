import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { noProperties } from "../../mqtt/codec/properties.ts";
import { Message } from "../../mqtt/pubsub/message.ts";
import { MemoryRetained } from "../../mqtt/pubsub/testing/memory_pubsub.ts";
import { turns } from "../../testing/turns.ts";
import { lastEventOf, TopicStream } from "./topic_stream.ts";
import { watchCountMax, Watches } from "./watches.ts";

const message = (topic: string, text: string, expiresMs = Infinity): Message =>
  new Message({
    topic,
    payload: new TextEncoder().encode(text),
    qos: 1,
    retain: false,
    properties: noProperties,
    expiresMs,
  });

function setUp(gatherMs = 0) {
  const clock = new ManualClock();
  const retained = new MemoryRetained();
  const pubsub = { listen: () => undefined, unlisten() {} };
  const watches = new Watches({ pubsub, clock, bytesMax: 1 << 24, sentBytesMax: 1 << 24 });
  const watch = watches.of("a/#") ?? assert.fail();
  let mayGoOn = true;
  let lost = 0;
  const follow = (lastId: string | null = null) => {
    const { epoch } = watches;
    const stream = new TopicStream({
      watch,
      chunks: watches.chunks,
      epoch,
      sequence: () => watches.sequence,
      retained,
      clock,
      last: lastEventOf(lastId),
      mayGoOn: () => mayGoOn,
      lost: (count) => lost += count,
      gatherMs: () => gatherMs,
      ended() {},
    });
    const reader = stream.body.getReader();
    /** Reads until there are so many events: `name payload-or-reason id`. */
    const next = async (count: number): Promise<string[]> => {
      let text = "";
      const found: string[] = [];
      while (found.length < count) {
        text += new TextDecoder().decode(
          (await reader.read()).value ?? assert.fail("it has ended"),
        );
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          if (block.startsWith(":")) continue;
          const [, name, data, id] = /^event: (\w+)\ndata: (.*?)(?:\nid: (.*))?$/.exec(block) ??
            assert.fail(block);
          const { payload, reason, lost } = JSON.parse(data ?? "");
          const shown = [name, payload ?? reason, lost, id?.replace(epoch, "e")];
          found.push(shown.filter((part) => part !== undefined).join(" "));
        }
      }
      return found;
    };
    return { stream, reader, next };
  };
  return {
    clock,
    retained,
    watches,
    watch,
    follow,
    lost: () => lost,
    forbid: () => mayGoOn = false,
    say: (text: string, expiresMs?: number) => watches.deliver(message("a/b", text, expiresMs)),
  };
}

Deno.test("what is retained comes first, page by page, then what is published, with ids", async () => {
  const { retained, say, follow, watches, clock } = setUp();
  retained.pageMax = 1;
  for (const name of ["a/1", "a/2", "b"]) retained.keep(message(name, `kept ${name}`));
  const { next, reader } = follow();
  assert.deepEqual(await next(3), ["message kept a/1", "message kept a/2", "ready e-1"]);
  say("one");
  say("gone", clock.now());
  say("two");
  assert.deepEqual(await next(2), ["message one e-2", "message two e-4"]);
  await reader.cancel();
  watches.close();
});

Deno.test("who comes back with its last id goes on there, and hears of nothing twice", async () => {
  const { say, follow, watches, watch } = setUp();
  const first = follow();
  await first.next(1);
  say("one");
  assert.deepEqual(await first.next(1), ["message one e-2"]);
  await first.reader.cancel();
  assert.equal(watch.followers, 0);
  for (const text of ["two", "three"]) say(text);
  const second = follow(`${watches.epoch}-2`);
  assert.deepEqual(await second.next(2), ["message two e-3", "message three e-4"]);
  await second.reader.cancel();
  watches.close();
});

Deno.test("a history that does not reach back is told, and what there is follows", async () => {
  const { say, follow, watches, retained } = setUp();
  say("one");
  retained.keep(message("a/kept", "state"));
  for (const id of ["other0-1", `${watches.epoch}-0`, "no id of ours", `${watches.epoch}-0`]) {
    const { next, reader } = follow(id);
    const events = await next(3);
    assert.deepEqual(events.slice(0, 2), ["gap history", "message state"], id);
    await reader.cancel();
  }
  watches.interrupted();
  const { next, reader } = follow(`${watches.epoch}-2`);
  assert.equal((await next(1))[0], "gap history");
  await reader.cancel();
  watches.close();
});

Deno.test("a viewer that reads slowly loses the oldest, and is told how many", async () => {
  const { say, follow, watches, lost } = setUp();
  const { next, reader } = follow();
  await next(1);
  // One is sent at once and one waits in the stream; of the rest as many are kept as may be.
  say("0");
  await next(1);
  for (let i = 1; i <= watchCountMax + 50; i++) say(`${i}`);
  const events = await next(watchCountMax + 1);
  const gap = events.findIndex((event) => event.startsWith("gap"));
  assert.ok(gap >= 0, `no gap in ${events.length} events`);
  const [, , told] = events[gap]!.split(" ");
  assert.equal(Number(told), lost());
  assert.equal(events.length - 1 + lost(), watchCountMax + 50);
  assert.match(events.at(-1) ?? "", new RegExp(`^message ${watchCountMax + 50} `));
  await reader.cancel();
  watches.close();
});

Deno.test("a quiet stream says that it is there, and ends when its viewer may see no more", async () => {
  const { clock, follow, forbid, watches, watch } = setUp();
  const { next, reader } = follow();
  await next(1);
  const alive = reader.read();
  await turns();
  clock.advance(15_000);
  assert.match(new TextDecoder().decode((await alive).value), /^: /);
  const after = reader.read();
  await turns();
  forbid();
  clock.advance(15_000);
  assert.equal((await after).done, true);
  assert.equal(watch.followers, 0);
  const other = follow();
  other.stream.close();
  watches.close();
});

Deno.test("viewers of a busy topic are sent what has gathered, all the same bytes", async () => {
  const { clock, say, follow, watches } = setUp(100);
  const viewers = [follow(), follow()];
  for (const { next } of viewers) await next(1);
  const reads = () => Promise.all(viewers.map(async ({ reader }) => (await reader.read()).value));
  const first = reads();
  await turns();
  say("1");
  const [one, sameOne] = await first;
  assert.equal(one, sameOne);
  let here = false;
  const second = reads().finally(() => here = true);
  await turns();
  for (const text of ["2", "3"]) {
    say(text);
    await turns();
  }
  assert.equal(here, false, "it gathers");
  clock.advance(100);
  const [both, sameBoth] = await second;
  assert.equal(both, sameBoth);
  const payloads = new TextDecoder().decode(both).matchAll(/"payload":"(\d)"/g);
  assert.deepEqual([...payloads].map(([, payload]) => payload), ["2", "3"]);
  say("4");
  await turns();
  for (const { stream } of viewers) stream.close();
  watches.close();
  assert.equal(clock.pending, 0, "who has gone has no timer");
});
