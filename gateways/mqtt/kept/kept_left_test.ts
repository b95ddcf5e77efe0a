/** What waits for a member of a shared subscription when its kept session ends. Shows 5: 4.8.2-5. */
import assert from "node:assert/strict";
import { Client } from "../pubsub/testing/memory_client.ts";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClient, publish, publishOnly, withFile, withShards } from "./testing.ts";

const filter = "$share/g/a";

async function member(pair: ShardPair, at: number, key: string): Promise<KeptClient> {
  const client = await KeptClient.connect(pair, pair.shards[at]!, { key });
  await client.subscribe(filter, 2);
  return client;
}

/** Those whose time is up are swept away, and what they leave is passed on. */
function sweep(pair: ShardPair): void {
  for (const shard of pair.shards) {
    shard.kept!.sweep(() => true);
    shard.flush();
  }
  passOn(pair);
}

function passOn(pair: ShardPair): void {
  pair.clock.advance(0);
  pair.carry();
}

const sum = (pair: ShardPair, what: "handedOver" | "session_over" | "no_member"): number =>
  pair.shards.reduce(
    (sum, { stats }) => sum + (what === "handedOver" ? stats.handedOver : stats.lost[what]),
    0,
  );

for (const how of ["its time is up", "its client begins anew"]) {
  for (const kept of [true, false]) {
    Deno.test(`${how}: another member has what waited, whose session is ${kept ? "" : "not "}kept`, () =>
      withShards(async (pair) => {
        const gone = await member(pair, 0, "gone");
        gone.leave();
        for (const [i, payload] of ["1", "2", "3"].entries()) {
          publish(pair, pair.shards[i % 2]!, payload, i === 1 ? 2 : 1);
        }
        const other = kept ? await member(pair, 1, "other") : new Client(pair.shards[1]!);
        if (other instanceof Client) {
          const answer = other.subscribe(filter, { qos: 2 });
          pair.carry();
          await answer;
        }
        if (how === "its time is up") {
          pair.clock.advance(101_000);
          sweep(pair);
        } else {
          await KeptClient.connect(pair, pair.shards[0]!, { key: "gone", clean: true });
          passOn(pair);
        }
        assert.deepEqual(other.payloads(), ["1", "2", "3"]);
        assert.deepEqual([sum(pair, "handedOver"), sum(pair, "session_over")], [3, 0]);
      }));
  }
}

Deno.test("it was sent some: what has QoS 2 goes to nobody else, and is counted", () =>
  withShards(async (pair) => {
    const gone = await member(pair, 0, "gone");
    for (const [payload, qos] of [["1", 1], ["2", 2], ["3", 2]] as const) {
      publish(pair, pair.shards[1]!, payload, qos);
    }
    const [, , third] = gone.taken().publishes;
    gone.acknowledged("pubrec", third!.packetId);
    gone.leave();
    publish(pair, pair.shards[1]!, "4", 2);
    const other = await member(pair, 1, "other");
    pair.clock.advance(101_000);
    sweep(pair);
    assert.deepEqual(other.payloads(), ["1", "4"]);
    assert.deepEqual([sum(pair, "handedOver"), sum(pair, "session_over")], [2, 2]);
  }));

Deno.test("it ends with its connection, in whose file its end cannot be written at first", async () => {
  await withFile(async (file, pair) => {
    const gone = await member(pair, 0, "gone");
    publish(pair, pair.shards[1]!, "1", 1);
    file.exec(`CREATE TRIGGER full BEFORE DELETE ON session
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    gone.leave("none", 0);
    const other = await member(pair, 1, "other");
    passOn(pair);
    assert.deepEqual([other.payloads(), sum(pair, "session_over")], [[], 0]);
    file.exec("DROP TRIGGER full");
    sweep(pair);
    assert.deepEqual([other.payloads(), sum(pair, "session_over")], [["1"], 0]);
  });
});

Deno.test("it has ended, and the shard where a message is published does not know: another has it", () =>
  withShards(async (pair) => {
    (await member(pair, 0, "gone")).leave();
    (await member(pair, 0, "other")).leave("none", 1_000);
    pair.clock.advance(101_000);
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    there.kept!.sweep(() => true); // The first session is its own.
    assert.deepEqual([here.kept!.count, there.kept!.count], [2, 1]);
    for (const payload of ["1", "2", "3", "4"]) publishOnly(here, payload, 1, {});
    assert.equal(here.flush(), true);
    passOn(pair);
    const other = await KeptClient.connect(pair, there, { key: "other" });
    assert.deepEqual(other.payloads().toSorted(), ["1", "2", "3", "4"]);
    assert.deepEqual([sum(pair, "session_over"), sum(pair, "no_member")], [0, 0]);
  }));

Deno.test("much waits: another member has the oldest 1 MiB of it", () =>
  withFile(async (file, pair) => {
    (await member(pair, 0, "gone")).leave();
    const payloads = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));
    for (const payload of payloads) publish(pair, pair.shards[0]!, payload, 1);
    file.exec("UPDATE queue SET bytes = 1048576 / 17");
    const other = await member(pair, 1, "other");
    pair.clock.advance(101_000);
    sweep(pair);
    assert.deepEqual(other.payloads(), payloads.slice(0, 17));
  }).then((faults) => assert.deepEqual(faults, [])));
