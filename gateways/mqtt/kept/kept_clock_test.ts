import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../runtime/clock.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClock } from "./kept_clock.ts";
import { KeptClient, withShards } from "./testing.ts";

Deno.test("what is in the file follows a clock that is set, once, and is not behind it meanwhile", () => {
  const clock = new ManualClock();
  const moves: number[] = [];
  const movedMs = () => moves.reduce((sum, byMs) => sum + byMs, 0);
  let works = true;
  const time = new KeptClock(clock, {
    moved: movedMs,
    move: (byMs) => works && moves.push(byMs) > 0 ? movedMs() : undefined,
  });
  clock.setBy(9_000);
  assert.equal(time.now(), clock.now());
  clock.setBy(-9_000 + 3_600_000);
  assert.equal(time.now(), clock.now());
  clock.advance(1_000);
  assert.equal(time.look(), clock.now());
  assert.deepEqual(moves, [3_600_000]);

  works = false;
  clock.setBy(-7_200_000);
  assert.equal(time.look(), clock.now() + 7_200_000);
  works = true;
  assert.equal(time.now(), clock.now());
  assert.deepEqual(moves, [3_600_000, -7_200_000]);
});

Deno.test("a clock that is set in small steps is not followed further than it went, whoever looks when", () => {
  const shard = fc.nat({ max: 2 });
  const event = fc.oneof(
    fc.constant("set" as const),
    fc.record({ looks: shard }),
    fc.record({ begins: shard }),
  );
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 60 }), (events) => {
      const clock = new ManualClock();
      let setByMs = 0;
      let movedMs = 0;
      const times = {
        moved: () => movedMs,
        // As the file does it.
        move: (byMs: number, _nowMs: number, sinceMs = movedMs) =>
          movedMs += byMs - (movedMs - sinceMs),
      };
      const begin = () => {
        const shard = new KeptClock(clock, times);
        shard.look();
        return shard;
      };
      const shards = [begin(), begin(), begin()];
      for (const event of events) {
        if (event === "set") {
          clock.setBy(-6_000);
          setByMs -= 6_000;
        } else if ("looks" in event) shards[event.looks]!.look();
        else shards[event.begins] = begin();
        assert.ok(movedMs <= 0 && movedMs >= setByMs, `set by ${setByMs}, moved by ${movedMs} ms`);
      }
    }),
    { numRuns: 1_000 },
  );
});

const sweep = (...shards: readonly PubSub[]) => {
  for (const shard of shards) {
    shard.kept!.sweep(() => true);
    shard.flush();
  }
};

/** Passes time, and has every shard sweep. */
function pass(pair: ShardPair, ms: number): void {
  pair.clock.advance(ms);
  sweep(...pair.shards);
  pair.carry();
}

const isThere = (pair: ShardPair, key = "k") => pair.shards.some(({ kept }) => kept!.has(key));

/** Its session lasts for so long yet, and no longer. */
function lasts(pair: ShardPair, ms: number): void {
  pass(pair, ms - 1_000);
  assert.equal(isThere(pair), true, "ended early");
  pass(pair, 2_000);
  assert.equal(isThere(pair), false, "ended late");
}

/** A session that was left 100 s ago and is to be kept for another 200 s. */
async function leftOne(pair: ShardPair): Promise<void> {
  (await KeptClient.connect(pair, pair.shards[0]!)).leave("none", 300);
  pass(pair, 100_000);
}

for (const byMs of [60_000, -60_000, 18_000_000, -18_000_000]) {
  Deno.test(`a clock that is set by ${byMs} ms costs a session that was left for long nothing`, () =>
    withShards(
      async (pair) => {
        await leftOne(pair);
        pair.clock.setBy(byMs);
        lasts(pair, 200_000);
      },
      undefined,
      undefined,
      4,
    ));
}

Deno.test("a session that is left when one shard has followed a clock that was set back stays", () =>
  withShards(async (pair) => {
    const [zero, one] = pair.shards;
    for (const key of ["first", "k"]) {
      const client = await KeptClient.connect(pair, one!, { key });
      if (key === "first") continue;
      assert.equal(client.attachment.session.id, 2, "shard 0's");
      pair.clock.setBy(-500_000);
      sweep(one!);
      client.leave();
    }
    sweep(zero!, one!);
    lasts(pair, 100_000);
  }));

Deno.test("a clock that is set twice: whoever saw one of them, and whoever saw both at once", () =>
  withShards(
    async (pair) => {
      const [zero, one, two] = pair.shards;
      await leftOne(pair);
      pair.clock.setBy(40_000);
      sweep(zero!);
      pair.clock.setBy(30_000);
      sweep(one!, two!, zero!);
      pair.clock.setBy(-1_000_000);
      sweep(two!);
      pair.clock.setBy(1_000_000);
      sweep(two!, one!, zero!);
      lasts(pair, 200_000);
    },
    undefined,
    undefined,
    3,
  ));

Deno.test("a shard that begins after the clock was set does not take that for what it sees later", () =>
  withShards(async (pair) => {
    const [zero] = pair.shards;
    await leftOne(pair);
    pair.clock.setBy(18_000_000);
    pair.shards[1]!.close();
    pair.restart(1);
    sweep(zero!);
    pass(pair, 1_000);
    pair.clock.setBy(60_000);
    sweep(pair.shards[1]!, zero!);
    lasts(pair, 199_000);
  }));
