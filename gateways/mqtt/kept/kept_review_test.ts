import assert from "node:assert/strict";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import type { KeptPermit } from "./kept_options.ts";
import { type AccountStanding, KeptReview } from "./kept_review.ts";
import { KeptClient, publish, withShards } from "./testing.ts";
import { encodeWill } from "./will_record.ts";

const account = "UPB/A";

/** May read and write topics of these letters. */
const only = (letters: string): KeptPermit => ({
  publish: (bytes, start) => letters.includes(String.fromCharCode(bytes[start]!)),
  subscribe: (filter) => letters.includes(filter),
});

/** The review of a shard; what is asked and answered is the test's. */
function reviewOf({ shards, clock }: ShardPair, at: number) {
  const asked: (readonly string[])[] = [];
  const answers: (readonly AccountStanding[] | undefined)[] = [];
  const review = new KeptReview({
    messages: shards[at]!,
    clock,
    ask: (names) => {
      asked.push(names);
      return Promise.resolve(answers.shift());
    },
  });
  return { review, asked, answers };
}

/** Lets what was answered be dealt with. */
const settled = async (pair: ShardPair): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
  pair.carry();
};

Deno.test("an account that is gone takes its sessions along, wherever they are", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const away = await KeptClient.connect(pair, here, { key: "away", account });
    await away.subscribe("a", 1);
    const connected = await KeptClient.connect(pair, there, { key: "connected", account });
    const other = await KeptClient.connect(pair, here, { key: "other", account: "UPB/B" });
    await other.subscribe("a", 1);
    away.leave();
    publish(pair, there, "waits", 1);
    const { review, answers } = reviewOf(pair, 0);
    // While their database is away nothing ends, and it is asked again.
    answers.push(undefined, [{ name: account, permit: undefined }]);
    review.changed([account, "has no session"], false);
    await settled(pair);
    assert.equal(here.kept!.count, 3);
    pair.clock.advance(1_000);
    await settled(pair);
    for (const { kept } of pair.shards) {
      assert.deepEqual([kept!.count, [...kept!.accounts.names("all")]], [1, ["UPB/B"]]);
    }
    assert.equal(connected.evicted, false);
    assert.deepEqual([here.stats.sessionsRevoked, here.stats.lost.session_over], [2, 1]);
    publish(pair, there, "next", 1);
    assert.deepEqual([here.kept!.total.count, other.payloads()], [2, ["waits", "next"]]);
  }));

Deno.test("a subscription that the account may not have any more is taken back, and its will", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const willOn = (topic: string) =>
      encodeWill({ topic, payload: new Uint8Array(), qos: 0, retain: false, properties: {} });
    for (const key of ["a", "b"]) {
      const request = { key, account, will: willOn(key), willDelayS: 5 };
      const client = await KeptClient.connect(pair, here, request);
      await client.subscribe("a", 1);
      await client.subscribe("b", 1);
      client.leave("later");
    }
    const { review, answers } = reviewOf(pair, 1);
    answers.push([{ name: account, permit: only("b") }]);
    review.changed([account], false);
    await settled(pair);
    for (const shard of pair.shards) {
      for (const topic of ["a", "b"]) publish(pair, shard, topic, 1, { topic });
    }
    const wills: string[] = [];
    pair.clock.advance(5_000);
    for (const { kept } of pair.shards) kept!.sweep(({ topic }) => wills.push(topic) > 0);
    assert.deepEqual(wills, ["b"]);
    const back = await KeptClient.connect(pair, there, { key: "a", account }, only("b"));
    assert.deepEqual([back.present, back.payloads()], [true, ["b", "b"]]);
  }));

Deno.test("at the start each shard asks for its share of all accounts", () =>
  withShards(async (pair) => {
    for (const key of ["x", "y", "z"]) {
      (await KeptClient.connect(pair, pair.shards[0]!, { key, account: key })).leave();
    }
    await KeptClient.connect(pair, pair.shards[0]!, { key: "of no account" });
    const reviews = [0, 1].map((at) => reviewOf(pair, at));
    for (const { review } of reviews) review.changed([], true);
    await settled(pair);
    for (const { review } of reviews) review.close();
    const asked = reviews.map((one) => one.asked.flat());
    assert.deepEqual(asked.flat().toSorted(), ["x", "y", "z"]);
    assert.ok(asked.every(({ length }) => length > 0));
  }, () => ({ countMax: 4 })));

Deno.test("an account without a standing is asked for again, and holds up no other", () =>
  withShards(async (pair) => {
    for (const key of ["a", "b"]) {
      await KeptClient.connect(pair, pair.shards[0]!, { key, account: `UPB/${key}` });
    }
    const { review, asked, answers } = reviewOf(pair, 0);
    answers.push(
      [{ name: "UPB/b", permit: undefined }],
      [{ name: "UPB/a", permit: undefined }],
    );
    review.changed(["UPB/a", "UPB/b"], false);
    await settled(pair);
    assert.deepEqual([...pair.shards[0]!.kept!.accounts.names("all")], ["UPB/a"]);
    pair.clock.advance(1_000);
    await settled(pair);
    assert.deepEqual(asked, [["UPB/a", "UPB/b"], ["UPB/a"]]);
    assert.equal(pair.shards[0]!.kept!.count, 0);
  }));
