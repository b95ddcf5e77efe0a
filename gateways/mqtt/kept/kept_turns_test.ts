/** A shared message that goes from member to member, and shards on its way that die. */
import assert from "node:assert/strict";
import type { Packet } from "../codec/packet.ts";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { inWorld, message, World } from "./testing/resend_world.ts";
import { keptSettings, withShards } from "./testing.ts";

const filter = "$share/g/t";
const disconnect: Packet = { kind: "disconnect", reasonCode: 0, properties: {} };

Deno.test("it was to come back to a shard that had it before, and two shards died first: it comes", () =>
  inWorld(async (world) => {
    const first = await world.subscriber(1, "first", { filter, qos: 1 });
    const publisher = await world.connect(0, "publisher", true);
    await world.say(publisher, message("one"));
    assert.deepEqual(await world.heard(first), ["one"]);
    const second = await world.subscriber(2, "second", { filter, qos: 1 });
    await world.say(first, disconnect);
    assert.deepEqual(await world.heard(second), ["one"]);
    const third = await world.subscriber(1, "third", { filter, qos: 1 });
    // It is written down that it goes back, and nobody is told.
    world.credit = 0;
    await world.say(second, disconnect);
    world.credit = Infinity;
    for (const shard of [2, 0]) world.restart(shard);
    assert.deepEqual(await world.heard(third), []);
    await world.say(await world.connect(0, "publisher", true), message("one", true));
    assert.deepEqual(await world.heard(third), ["one"]);
    await world.say(await world.connect(2, "publisher", true), message("one", true));
    assert.deepEqual(await world.heard(third), []);
  }, 3));

Deno.test("it is handed over, and its publisher's next shard is quicker: it comes once", () =>
  inWorld(async (world, pair) => {
    const first = await world.subscriber(1, "first", { filter, qos: 1 });
    await world.say(await world.connect(0, "publisher", true), message("one"));
    const second = await world.subscriber(2, "second", { filter, qos: 1 });
    pair.mail = [];
    await world.sayOnly(first, disconnect);
    const isMessage = ({ mail }: typeof pair.mail[number]) => mail.kind === "messages";
    const late = pair.mail.filter(isMessage);
    assert.equal(late.length, 1);
    pair.mail = pair.mail.filter((one) => !isMessage(one));
    world.restart(0);
    await world.say(await world.connect(0, "publisher", true), message("one", true));
    assert.deepEqual(await world.heard(second), ["one"]);
    pair.mail.push(...late);
    assert.deepEqual(await world.heard(second), []);
    assert.equal(world.repeated, 1);
  }, 3));

Deno.test("it goes on while its publisher is back, and the shard where it was dies: nobody else has it", () =>
  inWorld(async (world) => {
    const first = await world.subscriber(1, "first", { filter, qos: 1 });
    await world.say(await world.connect(0, "publisher", true), message("one"));
    world.restart(0);
    const publisher = await world.connect(0, "publisher", true);
    const second = await world.subscriber(2, "second", { filter, qos: 1 });
    await world.say(first, disconnect);
    assert.deepEqual(await world.heard(second), ["one"]);
    world.restart(1);
    const other = await world.subscriber(1, "other", { filter, qos: 1 });
    await world.say(publisher, message("one", true));
    assert.deepEqual(await world.heard(other), []);
    assert.deepEqual(await world.heard(second), []);
  }, 3));

// Shows 5: 4.8.2-5.
Deno.test("a member has it with QoS 2, its shard and the publisher's die: nobody stands in for it", () =>
  inWorld(async (world) => {
    const had = await world.subscriber(1, "had", { filter });
    await world.say(await world.connect(0, "publisher", true), message("one"));
    assert.deepEqual(await world.heard(had), ["one"]);
    for (const shard of [1, 0]) world.restart(shard);
    const others = [
      await world.subscriber(1, "other", { filter }),
      await world.subscriber(2, "another", { filter }),
    ];
    for (const shard of [2, 0]) {
      await world.say(await world.connect(shard, "publisher", true), message("one", true));
      for (const other of others) assert.deepEqual(await world.heard(other), []);
    }
  }, 3));

Deno.test("the whole process dies before it is told who is to have it: a member who is kept has it, once", async () => {
  let directory = "";
  await withShards(async (pair) => {
    const world = new World(pair);
    const kept = await world.subscriber(1, "kept", { filter }, true);
    await world.say(kept, disconnect);
    await world.subscriber(1, "gone", { filter });
    await world.dieWith(await world.connect(0, "publisher", true), message("one"), false);
    let settings = { ...keptSettings(directory, 2), first: true };
    for (const when of ["before it is sent again", "behind it"]) {
      const next = new ShardPair(2, { kept: settings }, pair.clock.now());
      const after = new World(next);
      const direct = await after.subscriber(0, "direct");
      await after.say(await after.connect(0, "publisher", true), message("one", true));
      assert.deepEqual(await after.heard(direct), [], when);
      const [, publishes] = await after.back(1, "kept");
      assert.deepEqual(publishes.map(({ dup }) => dup), [when === "behind it"], when);
      for (const shard of next.shards) shard.close();
      settings = { ...settings };
    }
  }, (made) => {
    directory = made;
    return {};
  });
});
