/** Where a message went among those who share stands in the file while it may be sent on again. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { message, World } from "./testing/resend_world.ts";
import { keptSettings, withShards } from "./testing.ts";

type Row = { readonly settled: number; readonly bytes: number | null };

const long = (i: number) => `$share/${"g".repeat(900)}${i}/t`;

/** A publisher sends one message to ten members with long names. */
async function inFile(
  run: (of: {
    readonly world: World;
    readonly pair: ShardPair;
    readonly directory: string;
    readonly publisher: Awaited<ReturnType<World["connect"]>>;
    readonly row: () => Row;
  }) => Promise<void>,
): Promise<void> {
  let directory = "";
  await withShards(async (pair) => {
    const world = new World(pair);
    for (let i = 0; i < 10; i++) {
      await world.subscriber(1, `member ${i}`, { filter: long(i), qos: 1 });
    }
    const publisher = await world.connect(0, "publisher", true);
    await world.say(publisher, message("one"));
    const file = new DatabaseSync(`${directory}/sessions.db`);
    const row = () => {
      const { settled, bytes } = file.prepare(
        "SELECT settled, octet_length(shares) AS bytes FROM incoming",
      ).get() ?? {};
      return { settled: Number(settled), bytes: bytes === null ? null : Number(bytes) };
    };
    try {
      await run({ world, pair, directory, publisher, row });
    } finally {
      file.close();
    }
  }, (made) => {
    directory = made;
    return {};
  });
}

Deno.test("so much is written of one message, the rest is counted; nothing once it is settled", () =>
  inFile(async ({ world, pair, publisher, row }) => {
    const { bytes } = row();
    assert.ok(bytes !== null && bytes > 3_000 && bytes <= 4_096, `${bytes}`);
    assert.equal(pair.shards[0]!.stats.sharesUnwritten, 6);
    assert.equal((await world.settle(0, publisher))[0]?.kind, "pubrec");
    pair.clock.advance(1_000);
    assert.deepEqual(row(), { settled: 1, bytes: null });
  }));

Deno.test("nothing of it stands there when the connection has ended with its shard alive", () =>
  inFile(async ({ world, publisher, row }) => {
    await world.say(publisher, { kind: "disconnect", reasonCode: 0, properties: {} });
    assert.deepEqual(row(), { settled: 0, bytes: null });
  }));

Deno.test("after a restart of the process it stands there until it is settled", () =>
  inFile(async ({ pair, directory, row }) => {
    const before = row();
    const settings = { ...keptSettings(directory, 2), first: true };
    const next = new ShardPair(2, { kept: settings }, pair.clock.now());
    assert.deepEqual(row(), before);
    const world = new World(next);
    const publisher = await world.connect(0, "publisher", true);
    await world.say(publisher, message("one", true));
    assert.equal((await world.settle(0, publisher))[0]?.kind, "pubrec");
    next.clock.advance(1_000);
    assert.deepEqual(row(), { settled: 1, bytes: null });
    for (const shard of next.shards) shard.close();
  }));
