/** A shard starts and does not know all kept sessions: what comes meanwhile is refused, or counted. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClient, publish, withFile } from "./testing.ts";

/** Clients with these keys subscribe and leave. */
async function away(
  keys: readonly string[],
  run: (file: DatabaseSync, pair: ShardPair) => Promise<void>,
): Promise<void> {
  await withFile(async (file, pair) => {
    for (const key of keys) {
      const client = await KeptClient.connect(pair, pair.shards[0]!, { key });
      await client.subscribe("a", 1);
      client.leave();
    }
    await run(file, pair);
  });
}

const sweep = (pair: ShardPair) => {
  for (const shard of pair.shards) shard.kept!.sweep(() => true);
};

Deno.test("which sessions there are cannot be read: nothing with QoS 1 is acknowledged until it can be", () =>
  away(["k"], async (file, pair) => {
    file.exec("BEGIN IMMEDIATE");
    pair.restart(1);
    const there = pair.shards[1]!;
    assert.equal(there.listening, true, "for who hands in what came over HTTP");
    for (const qos of [1, 2] as const) assert.equal(publish(pair, there, "refused", qos), false);
    assert.equal(publish(pair, there, "QoS 0", 0), true);
    file.exec("ROLLBACK");
    sweep(pair);
    assert.equal(publish(pair, there, "kept", 1), true);
    assert.equal(there.stats.missed, 0);
    assert.deepEqual((await KeptClient.connect(pair, there)).payloads(), ["kept"]);
  }));

Deno.test("one session cannot be read: what may be for it is counted, and the other has it", () =>
  away(["damaged", "whole"], async (file, pair) => {
    file.exec(`ALTER TABLE subscription RENAME TO away;
      CREATE VIEW subscription AS SELECT session, name, no_local, as_published, sub_id, feed,
        CASE WHEN session = 1 THEN abs(-9223372036854775808) ELSE qos END AS qos FROM away`);
    pair.restart(1);
    const there = pair.shards[1]!;
    for (const qos of [0, 1, 2] as const) assert.equal(publish(pair, there, `${qos}`, qos), true);
    assert.equal(there.stats.missed, 2);
    file.exec("DROP VIEW subscription; ALTER TABLE away RENAME TO subscription");
    sweep(pair);
    assert.equal(publish(pair, there, "3", 1), true);
    assert.equal(there.stats.missed, 2);
    const whole = await KeptClient.connect(pair, there, { key: "whole" });
    assert.deepEqual(whole.payloads(), ["1", "2", "3"]);
  }));
