/** A publisher with a kept session sends a QoS 2 message again, for its shard has died meanwhile. */
import assert from "node:assert/strict";
import { PacketWriter } from "../codec/writer.ts";
import { publishOf } from "../endpoint/testing.ts";
import { Message } from "../pubsub/message.ts";
import { writeForwarded } from "../pubsub/peer_mail.ts";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { inWorld, message, pubrel, World } from "./testing/resend_world.ts";
import { keptSettings, withShards } from "./testing.ts";

const utf8 = new TextEncoder();

for (const told of [false, true]) {
  for (const back of [0, 1]) {
    const when = told ? "after" : "before";
    Deno.test(`its shard dies ${when} others were told, it comes back to shard ${back}: each has it once`, () =>
      inWorld(async (world) => {
        const there = await world.subscriber(1, "there");
        const once = await world.subscriber(1, "QoS 0", { qos: 0 });
        const kept = await world.subscriber(1, "kept", {}, true);
        const publisher = await world.connect(0, "publisher", true);
        await world.dieWith(publisher, message("one"), told);
        assert.deepEqual(await world.heard(there), told ? ["one"] : []);
        const again = await world.connect(back, "publisher", true);
        await world.say(again, message("one", true));
        assert.deepEqual((await world.settle(back, again)).map(({ kind }) => kind), ["pubrec"]);
        assert.deepEqual((await world.say(again, pubrel)).map(({ kind }) => kind), ["pubcomp"]);
        // The identifier stands for another message now.
        await world.say(again, message("two"));
        const both = ["one", "two"];
        const [first = [], second = []] = told ? [["one"], ["two"]] : [[], both];
        assert.deepEqual(await world.heard(there), second);
        assert.deepEqual([...first, ...second], both);
        assert.deepEqual(await world.heard(once), both);
        assert.deepEqual(await world.heard(kept), both);
        assert.equal(world.repeated, told ? 1 : 0);
      }));
  }
}

// Of a group each message is for one member: with QoS 2 to one session and never to it twice.
for (const told of [false, true]) {
  for (const back of [0, 1, 2]) {
    const when = told ? "after" : "before";
    Deno.test(`its shard dies ${when} the one of a shared member was told, it is back in shard ${back}: one has it`, () =>
      inWorld(async (world) => {
        const filter = "$share/g/t";
        const members = [
          await world.subscriber(1, "first", { filter }),
          await world.subscriber(2, "second", { filter }),
        ];
        const direct = await world.subscriber(1, "direct");
        const heard = async () => {
          const all = [];
          for (const member of members) all.push(...await world.heard(member));
          return all;
        };
        // Whosever turn it is.
        for (const turn of ["one", "two", "three"]) {
          const publisher = await world.connect(0, "publisher", true);
          await world.dieWith(publisher, message(turn), told);
          assert.deepEqual(await heard(), told ? [turn] : [], turn);
          const again = await world.connect(back, "publisher", true);
          await world.say(again, message(turn, true));
          assert.deepEqual(await heard(), told ? [] : [turn], turn);
          assert.deepEqual((await world.settle(back, again)).map(({ kind }) => kind), ["pubrec"]);
          await world.say(again, pubrel);
        }
        assert.deepEqual(await world.heard(direct), ["one", "two", "three"]);
      }, 3));
  }
}

// Shows 5: 4.8.2-5.
Deno.test("a shared message for one that was in the shard that died: another has it with QoS 1 alone", async () => {
  for (const qos of [1, 2] as const) {
    await inWorld(async (world) => {
      const filter = "$share/g/t";
      await world.subscriber(0, "here", { filter, qos });
      const publisher = await world.connect(0, "publisher", true);
      await world.dieWith(publisher, message("one"), true);
      const other = await world.subscriber(1, "other", { filter, qos });
      let again = await world.connect(1, "publisher", true);
      await world.say(again, message("one", true));
      assert.deepEqual(await world.heard(other), qos === 1 ? ["one"] : []);
      // It is known where it went then.
      again = await world.connect(0, "publisher", true);
      await world.say(again, message("one", true));
      assert.deepEqual(await world.heard(other), []);
    });
  }
});

Deno.test("the shard that was to choose a member has died, too, or has none left: another one has it", async () => {
  for (const how of ["died", "left"]) {
    await inWorld(async (world) => {
      const filter = "$share/g/t";
      const gone = await world.subscriber(1, "gone", { filter });
      await world.dieWith(await world.connect(0, "publisher", true), message("one"), false);
      const other = await world.subscriber(2, "other", { filter });
      if (how === "died") world.restart(1);
      else await world.say(gone, { kind: "disconnect", reasonCode: 0, properties: {} });
      let again = await world.connect(2, "publisher", true);
      await world.say(again, message("one", true));
      assert.deepEqual(await world.heard(other), ["one"], how);
      again = await world.connect(0, "publisher", true);
      await world.say(again, message("one", true));
      assert.deepEqual(await world.heard(other), [], how);
    }, 3);
  }
});

Deno.test("a shared message waits for a member who is kept: no other has it from the shard that was to choose", () =>
  inWorld(async (world, pair) => {
    const filter = "$share/g/t";
    await world.subscriber(1, "gone", { filter });
    await world.dieWith(await world.connect(0, "publisher", true), message("one"), false);
    for (const shard of [0, 2]) pair.shards[shard]!.lost(1);
    const kept = await world.subscriber(2, "kept", { filter }, true);
    let again = await world.connect(2, "publisher", true);
    await world.say(again, message("one", true));
    assert.deepEqual(await world.heard(kept), ["one"]);
    for (const shard of [1, 2]) world.restart(shard);
    const other = await world.subscriber(1, "other", { filter });
    again = await world.connect(0, "publisher", true);
    await world.say(again, message("one", true));
    assert.deepEqual(await world.heard(other), []);
  }, 3));

Deno.test("a message crosses to a shard once, however many subscriptions are shared there", () =>
  withShards(
    async (pair) => {
      const world = new World(pair);
      const members = [await world.subscriber(1, "direct")];
      for (let group = 0; group < 8; group++) {
        const filter = `$share/g${group}/t`;
        members.push(await world.subscriber(1, `member ${group}`, { filter }));
      }
      const publisher = await world.connect(0, "publisher", true);
      const payload = "p".repeat(30_000);
      await world.say(publisher, message(payload));
      for (const member of members) assert.deepEqual(await world.heard(member), [payload]);
      const { forwarded, lost } = pair.shards[0]!.stats;
      assert.deepEqual([forwarded, lost.peer_full], [1, 0]);
    },
    undefined,
    { peerBytesMax: 50_000 },
  ));

Deno.test("members have all left while a message is on its way, or is passed on: it is counted", () => {
  const [shard] = new ShardPair().shards;
  const writer = new PacketWriter();
  const shared = new Message({
    topic: "t",
    payload: new Uint8Array(1),
    qos: 1,
    retain: false,
    properties: {},
    expiresMs: Infinity,
  });
  const shares = [{ name: "$share/g/t", turn: 0 }];
  for (const passedOn of [false, true]) {
    writeForwarded(writer, { message: shared, direct: false, shares, passedOn });
  }
  const batch = writer.bytes.slice(0, writer.length);
  shard!.received({ kind: "messages", from: 1, batch });
  assert.equal(shard!.stats.lost.no_member, 2);
});

Deno.test("a member leaves while a message is on its way to its shard: another one has it", () =>
  inWorld(async (world, pair) => {
    const filter = "$share/g/t";
    const leaving = await world.subscriber(1, "leaving", { filter });
    const publisher = await world.connect(0, "publisher", false);
    const { mail } = pair;
    pair.mail = [];
    await world.sayOnly(publisher, message("one"));
    const onItsWay = pair.mail;
    pair.mail = mail;
    const other = await world.subscriber(2, "other", { filter });
    await world.say(leaving, { kind: "disconnect", reasonCode: 0, properties: {} });
    pair.mail = onItsWay;
    pair.carry();
    assert.deepEqual(await world.heard(other), ["one"]);
  }, 3));

// With QoS 2 it is told once, to whoever is chosen in the end: a queue in the file, or a member.
for (const kept of [true, false]) {
  const whom = kept ? "put into the queue of a kept member" : "passed on to a member elsewhere";
  Deno.test(`a shared message was ${whom}, and both shards on its way die: it comes once`, () =>
    inWorld(async (world, pair) => {
      const filter = "$share/g/t";
      const disconnect = { kind: "disconnect", reasonCode: 0, properties: {} } as const;
      const leaving = await world.subscriber(1, "leaving", { filter });
      const publisher = await world.connect(0, "publisher", true);
      const { mail } = pair;
      pair.mail = [];
      await world.sayOnly(publisher, message("one"));
      const onItsWay = pair.mail;
      pair.mail = mail;
      const chosen = await world.subscriber(2, "chosen", { filter }, kept);
      await world.say(leaving, disconnect);
      pair.mail = onItsWay;
      pair.carry();
      for (const shard of [1, 0]) world.restart(shard);
      const other = await world.subscriber(1, "other", { filter });
      for (const shard of [0, 1, 2]) {
        const again = await world.connect(shard, "publisher", true);
        await world.say(again, message("one", true));
        if (shard !== 2) world.restart(shard);
        else assert.equal((await world.settle(2, again))[0]?.kind, "pubrec");
      }
      assert.deepEqual(await world.heard(chosen), ["one"]);
      assert.deepEqual(await world.heard(other), []);
    }, 3));
}

Deno.test("members go one after the other: a message is handed over, to a shard that had it before, too", () =>
  inWorld(async (world) => {
    const member = { filter: "$share/g/t", qos: 1 } as const;
    const disconnect = { kind: "disconnect", reasonCode: 0, properties: {} } as const;
    let has = await world.subscriber(1, "member 0", member);
    await world.say(await world.connect(0, "publisher", true), message("one"));
    for (const [i, shard] of [2, 1, 0, 1].entries()) {
      assert.deepEqual(await world.heard(has), ["one"]);
      const next = await world.subscriber(shard, `member ${i + 1}`, member);
      await world.say(has, disconnect);
      has = next;
    }
    const kept = await world.subscriber(2, "kept", member, true);
    await world.say(has, disconnect);
    world.restart(0);
    // It waits for one that is kept: no other has it, though its publisher was not acknowledged.
    await world.say(await world.connect(1, "publisher", true), message("one", true));
    assert.deepEqual(await world.heard(kept), ["one"]);
  }, 3));

Deno.test("two members go at once: what the first left comes back to a shard that had it", () =>
  inWorld(async (world) => {
    const member = { filter: "$share/g/t", qos: 1 } as const;
    const disconnect = { kind: "disconnect", reasonCode: 0, properties: {} } as const;
    const first = await world.subscriber(1, "first", member);
    await world.say(await world.connect(0, "publisher", true), message("one"));
    assert.deepEqual(await world.heard(first), ["one"]);
    const second = await world.subscriber(2, "second", member);
    const third = await world.subscriber(1, "third", member);
    for (const leaving of [first, second]) await world.sayOnly(leaving, disconnect);
    assert.deepEqual(await world.heard(third), ["one"]);
  }, 3));

Deno.test("all go while a message is on its way, and it was passed on: it waits for one that is kept", () =>
  inWorld(async (world, pair) => {
    const member = { filter: "$share/g/t", qos: 1 } as const;
    const disconnect = { kind: "disconnect", reasonCode: 0, properties: {} } as const;
    const going = [
      await world.subscriber(1, "first", member),
      await world.subscriber(2, "second", member),
    ];
    const kept = await world.subscriber(0, "kept", member, true);
    await world.sayOnly(await world.connect(0, "publisher", false), message("one"));
    for (const leaving of going) await world.sayOnly(leaving, disconnect);
    assert.deepEqual(await world.heard(kept), ["one"]);
    assert.equal(pair.shards.reduce((sum, { stats }) => sum + stats.lost.no_member, 0), 0);
  }, 3));

Deno.test("two shards die one after the other: what the second had sent on comes once, too", () =>
  inWorld(async (world) => {
    const there = await world.subscriber(1, "there");
    let publisher = await world.connect(0, "publisher", true);
    for (const told of [false, true, false]) {
      await world.dieWith(publisher, message("one", true), told);
      publisher = await world.connect(0, "publisher", true);
    }
    await world.say(publisher, message("one", true));
    assert.deepEqual(await world.heard(there), ["one"]);
  }));

for (const leaves of [false, true]) {
  const how = leaves ? "leaves" : "is taken over";
  Deno.test(`it ${how} and its shard lives: nothing is sent on again, wherever it comes back`, () =>
    inWorld(async (world) => {
      const clients = [await world.subscriber(0, "here"), await world.subscriber(1, "there")];
      const publisher = await world.connect(0, "publisher", true);
      await world.say(publisher, message("one"));
      for (const client of clients) assert.deepEqual(await world.heard(client), ["one"]);
      if (leaves) await world.say(publisher, { kind: "disconnect", reasonCode: 0, properties: {} });
      for (const shard of [1, 0]) {
        const again = await world.connect(shard, "publisher", true);
        await world.say(again, message("one", true));
        for (const client of clients) assert.deepEqual(await world.heard(client), []);
      }
      assert.equal(world.repeated, 0);
    }));
}

Deno.test("the whole process dies: nobody is connected any more who was owed anything", async () => {
  let directory = "";
  await withShards(async (pair) => {
    const world = new World(pair);
    await world.subscriber(1, "there");
    await world.dieWith(await world.connect(0, "publisher", true), message("one"), false);
    const settings = { ...keptSettings(directory, 2), first: true };
    const next = new ShardPair(2, { kept: settings }, pair.clock.now());
    const after = new World(next);
    const there = await after.subscriber(1, "there");
    await after.say(await after.connect(0, "publisher", true), message("one", true));
    assert.deepEqual(await after.heard(there), []);
    for (const shard of next.shards) shard.close();
  }, (made) => {
    directory = made;
    return {};
  });
});

Deno.test("a retained message is retained, and a later one is not replaced by what is sent again", () =>
  inWorld(async (world, pair) => {
    const publisher = await world.connect(0, "publisher", true);
    await world.subscriber(1, "there");
    await world.dieWith(publisher, message("one", false, true), false);
    const later = await world.connect(1, "other", false);
    await world.say(later, publishOf({ topic: "t", payload: utf8.encode("later"), retain: true }));
    const again = await world.connect(0, "publisher", true);
    await world.say(again, message("one", true, true));
    const kept = pair.retained.messages.get("t");
    assert.equal(kept && new TextDecoder().decode(kept.payload), "later");
  }));
