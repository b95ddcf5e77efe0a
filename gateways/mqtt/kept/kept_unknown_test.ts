/**
 * A shard comes to not know which kept sessions there are: a QoS 2 message that it refuses is had by
 * everybody once, when it comes again.
 */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { blankOffer } from "../../../actors/intake.ts";
import { Client } from "../pubsub/testing/memory_client.ts";
import { message, World } from "./testing/resend_world.ts";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClient, publish, withFile } from "./testing.ts";

function blind(file: DatabaseSync, pair: ShardPair, shard: number): void {
  file.exec("ALTER TABLE total RENAME TO away");
  pair.shards[shard]!.kept!.reload("all");
  file.exec("ALTER TABLE away RENAME TO total");
  assert.equal(pair.shards[shard]!.kept!.blind, true);
}

Deno.test("what was refused is new when it comes again, also to the queue of who is away", () =>
  withFile(async (file, pair) => {
    const world = new World(pair);
    const away = await world.subscriber(1, "away", { filter: "u" }, true);
    away.end();
    await world.say(away);
    const live = await world.subscriber(0, "live");
    const publisher = await world.connect(0, "publisher", true);
    // What the shard is not told of.
    file.exec("UPDATE subscription SET name = 't'; UPDATE total SET revision = revision + 1");
    blind(file, pair, 0);
    assert.deepEqual(
      (await world.say(publisher, message("1"))).filter(({ kind }) => kind === "pubrec"),
      [],
    );
    assert.deepEqual(await world.heard(live), [], "it comes again");
    const [again] = await world.back(0, "publisher");
    await world.say(again, message("1", true));
    assert.deepEqual((await world.settle(0, again)).map(({ kind }) => kind), ["pubrec"]);
    assert.deepEqual(await world.heard(live), ["1"]);
    const [, heard] = await world.back(1, "away");
    assert.equal(heard.length, 1);
  }).then((faults) => assert.ok(faults.length > 0)));

Deno.test("whoever connects has it look again, and is refused while it does not know", () =>
  withFile(async (file, pair) => {
    const here = pair.shards[0]!;
    blind(file, pair, 0);
    await KeptClient.connect(pair, here);
    assert.equal(here.kept!.blind, false);
    blind(file, pair, 0);
    file.exec("ALTER TABLE total RENAME TO away");
    const request = { key: "x", account: "", clean: false, expiryS: 9, will: undefined };
    const host = { placed() {}, evicted() {}, unreadable() {} };
    const result = await here.kept!.claim({ ...request, willDelayS: 0 }, host, undefined);
    file.exec("ALTER TABLE away RENAME TO total");
    assert.equal(result.kind, "refused");
    assert.equal(publish(pair, here, "refused", 1), false);
  }).then((faults) => assert.ok(faults.length > 0)));

Deno.test("who cannot be refused: those who are there have it, and what others may miss is counted", () =>
  withFile(async (file, pair) => {
    const here = pair.shards[0]!;
    const away = await KeptClient.connect(pair, here);
    await away.subscribe("a", 1);
    away.leave();
    const live = new Client(here);
    const subscribed = live.subscribe("a", { qos: 1 });
    pair.carry();
    await subscribed;
    const bytes = new TextEncoder().encode("a1");
    const offer = { ...blankOffer(), bytes, topicEnd: 1, payloadStart: 1, payloadEnd: 2, flags: 1 };
    blind(file, pair, 0);
    assert.equal(here.publishAnyway(offer, {}), false);
    assert.equal(here.flush(), true);
    assert.deepEqual([live.payloads(), here.stats.missed], [["1"], 1]);
    here.kept!.sweep(() => true);
    file.exec("BEGIN IMMEDIATE");
    assert.equal(here.publishAnyway(offer, {}), true);
    assert.deepEqual([here.flush(), here.stats.missed], [false, 2]);
    file.exec("ROLLBACK");
    assert.equal(here.publishAnyway(offer, {}), true);
    assert.deepEqual([here.flush(), here.stats.missed], [true, 2]);
  }).then((faults) => assert.ok(faults.length > 0)));
