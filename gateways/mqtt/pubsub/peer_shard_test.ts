import assert from "node:assert/strict";
import type { TellResult } from "../../../runtime/actor.ts";
import { FrameEncoder } from "../../../runtime/frame_encoder.ts";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import { Message } from "./message.ts";
import { type Forwarded, type PeerMail, readForwarded } from "./peer_mail.ts";
import { PeerShard } from "./peer_shard.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import { Client, publish } from "./testing/memory_client.ts";
import { ShardPair } from "./testing/shard_pair.ts";

/** As long as a filter may be, in characters of three bytes. */
const nameOf = (i: number) => `$share/${"€".repeat(1_010)}${i}/#`;

function messageOf(payload: number, topic = "a", qos: Qos = 1): Message {
  const fields = { topic, payload: new Uint8Array(payload), qos, retain: false };
  return new Message({ ...fields, properties: noProperties, expiresMs: Infinity });
}

/** One shard as another sees it, and what came there. */
function peer(backlogBytesMax = 16 * 1024 * 1024) {
  const stats = new PubSubStats();
  const received: Forwarded[] = [];
  const told = { throws: 0 };
  const tell = (mail: PeerMail): TellResult => {
    if (mail.kind !== "messages") return "accepted";
    if (told.throws > 0) {
      told.throws--;
      throw new RangeError("Cannot send it");
    }
    new FrameEncoder().add("pubsub", mail);
    received.push(...readForwarded(mail.batch, assert.fail));
    return "accepted";
  };
  const port = { tell, hasRoom: () => true };
  const shard = new PeerShard({ from: 0, port, interest: new Map(), backlogBytesMax, stats });
  return { shard, stats, received, told };
}

Deno.test("a message for more groups than a link takes the names of reaches each of them once", async () => {
  const pair = new ShardPair(2, {
    peerBytesMax: 8 * 1024 * 1024,
    sessionSubscriptionsMax: 400,
    subscriptionsMax: 1_000,
  });
  const [near, far] = pair.shards;
  const client = new Client(far!, 1_000);
  const answers = Array.from({ length: 350 }, (_, i) => client.subscribe(nameOf(i), { qos: 1 }));
  const all = new Client(far!);
  answers.push(all.subscribe("#"));
  pair.carry();
  await Promise.all(answers);
  assert.equal(publish(near!, "a", "x", { qos: 1 }), true);
  pair.carry();
  assert.equal(client.payloads().length, 350);
  assert.deepEqual(all.payloads(), ["x"]);
  assert.equal(near!.stats.forwarded, 1);
});

Deno.test("messages of any size and number of groups go in batches that a link takes", () => {
  const { shard, stats, received } = peer();
  const shares = Array.from({ length: 100 }, (_, i) => ({ name: nameOf(i), turn: i }));
  const sizes = [10, 60_000, 900 * 1024 - 300, 10];
  for (const size of sizes) {
    assert.equal(shard.send({ message: messageOf(size), direct: true, shares }), true);
  }
  assert.equal(shard.flush(), true);
  const whole = received.filter(({ direct }) => direct);
  assert.deepEqual(whole.map(({ message }) => message.payload.length), sizes);
  assert.deepEqual(received.flatMap(({ shares }) => shares), sizes.flatMap(() => shares));
  assert.deepEqual([stats.forwarded, stats.lost.too_large], [4, 0]);
});

Deno.test("names of groups count for what may wait; who does not share is first", () => {
  const { shard, stats, received } = peer(200_000);
  const shares = Array.from({ length: 100 }, (_, i) => ({ name: nameOf(i), turn: 0 }));
  assert.equal(shard.send({ message: messageOf(10), direct: true, shares }), true);
  shard.flush();
  assert.deepEqual(received.map(({ direct }) => direct), [true, false, false]);
  assert.equal(stats.lost.peer_full, 2);
});

Deno.test("a text that takes more bytes than it was taken for is lost, not the link", () => {
  const { shard, stats, received } = peer();
  assert.equal(shard.send({ message: messageOf(1), direct: true, shares: [] }), true);
  const userProperties: [string, string][] = Array.from({ length: 19 }, () => {
    return ["k", "€".repeat(20_000)];
  });
  const long = new Message({ ...messageOf(0), properties: { userProperties } });
  assert.equal(shard.send({ message: long, direct: true, shares: [] }), false);
  assert.equal(shard.send({ message: messageOf(2), direct: true, shares: [] }), true);
  assert.equal(shard.flush(), true);
  assert.deepEqual(received.map(({ message }) => message.payload.length), [1, 2]);
  assert.equal(stats.lost.too_large, 1);
});

Deno.test("a message that cannot be written takes none with it that share its batch", () => {
  const { shard, stats, received } = peer();
  const contentType = "x".repeat(66_000);
  const unwritable = new Message({ ...messageOf(2), properties: { contentType } });
  const send = (message: Message) => shard.send({ message, direct: true, shares: [] });
  assert.deepEqual([messageOf(1), unwritable, messageOf(3)].map(send), [true, false, true]);
  assert.equal(shard.flush(), true);
  assert.deepEqual(received.map(({ message }) => message.payload.length), [1, 3]);
  assert.deepEqual([stats.forwarded, stats.lost.too_large], [2, 1]);
});

Deno.test("a batch that the link throws at is lost and counted, and what comes later goes", () => {
  const { shard, stats, received, told } = peer();
  for (const size of [1, 2]) shard.send({ message: messageOf(size), direct: true, shares: [] });
  told.throws = 1;
  assert.equal(shard.flush(), true);
  shard.send({ message: messageOf(3), direct: true, shares: [] });
  assert.equal(shard.flush(), true);
  assert.deepEqual(received.map(({ message }) => message.payload.length), [3]);
  assert.equal(stats.lost.too_large, 2);
});
