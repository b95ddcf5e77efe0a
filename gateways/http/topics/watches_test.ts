import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../runtime/clock.ts";
import { noProperties } from "../../mqtt/codec/properties.ts";
import { Message } from "../../mqtt/pubsub/message.ts";
import { watchCountMax, Watches, watchesMax } from "./watches.ts";

const message = (topic: string, bytes = 1): Message =>
  new Message({
    topic,
    payload: new Uint8Array(bytes),
    qos: 0,
    retain: false,
    properties: noProperties,
    expiresMs: Infinity,
  });

function setUp(bytesMax = 1 << 20) {
  const clock = new ManualClock();
  const listening = new Set<string>();
  const pubsub = {
    listen: (_: unknown, filter: string) => {
      listening.add(filter);
      return undefined;
    },
    unlisten: (_: unknown, filter: string) => void listening.delete(filter),
  };
  return {
    clock,
    listening,
    watches: new Watches({ pubsub, clock, bytesMax, sentBytesMax: 1 << 20 }),
  };
}

Deno.test("a watch keeps what came since it began, and ends when nobody has wanted it for long", () => {
  const { clock, listening, watches } = setUp();
  const watch = watches.of("a/+") ?? assert.fail();
  watches.deliver(message("a/b"));
  watches.deliver(message("b"));
  assert.equal(watch.count, 1);
  assert.equal(watches.of("a/+"), watch);
  clock.advance(500_000);
  watches.of("b");
  clock.advance(120_000);
  assert.deepEqual([...listening], ["b"]);
  clock.advance(600_000);
  assert.deepEqual([watches.count, watches.bytes, listening.size], [0, 0, 0]);
  watches.close();
});

Deno.test("a watch that somebody follows does not end, and there are no more than may be", () => {
  const { clock, watches } = setUp();
  (watches.of("followed") ?? assert.fail()).followers = 1;
  clock.advance(10_000_000);
  assert.equal(watches.count, 1);
  for (let i = 0; i < watchesMax; i++) watches.of(`${i}`);
  assert.equal(watches.count, watchesMax);
  const followed = watches.of("followed") ?? assert.fail();
  assert.equal(followed.followers, 1);
  for (let i = 0; i < watchesMax - 1; i++) (watches.of(`f${i}`) ?? assert.fail()).followers = 1;
  assert.equal(watches.of("one more"), undefined);
  watches.close();
});

Deno.test("memory is bounded by count and bytes, the oldest goes first, and what is left is whole", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(300)), { maxLength: 200 }),
      (messages) => {
        const bytesMax = 8_000;
        const { watches } = setUp(bytesMax);
        const all = ["a", "b", "#"].map((filter) => watches.of(filter) ?? assert.fail());
        const sent: [number, string][] = [];
        for (const [topic, bytes] of messages) {
          watches.deliver(message(topic, bytes));
          sent.push([watches.sequence, topic]);
          assert.ok(watches.bytes <= bytesMax);
        }
        assert.equal(watches.bytes, all.reduce((sum, { bytes }) => sum + bytes, 0));
        for (const watch of all) {
          const kept = watch.newest(Infinity).map(({ sequence }) => sequence);
          const expected = sent.filter(([, topic]) =>
            watch.filter === "#" || topic === watch.filter
          )
            .map(([sequence]) => sequence);
          assert.deepEqual(kept, expected.slice(expected.length - kept.length));
          if (kept.length < expected.length) {
            assert.equal(watch.floor, expected[expected.length - kept.length - 1]);
          }
          assert.equal(watch.end - watch.start, kept.length);
          for (const [i, sequence] of kept.entries()) {
            assert.equal(watch.after(sequence - 1), watch.start + i);
          }
        }
        watches.close();
        assert.equal(watches.bytes, 0);
      },
    ),
    { seed: 5, numRuns: 200 },
  );
  const { watches } = setUp();
  const watch = watches.of("a") ?? assert.fail();
  for (let i = 0; i < watchCountMax + 5; i++) watches.deliver(message("a"));
  assert.deepEqual([watch.count, watch.start], [watchCountMax, 5]);
  watches.close();
});
