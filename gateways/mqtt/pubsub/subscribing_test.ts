import assert from "node:assert/strict";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import type { Subscription } from "../codec/subscribe.ts";
import { KeptClient, withShards } from "../kept/testing.ts";
import type { Outbound } from "./outbound.ts";
import type { PubSub } from "./pubsub.ts";
import { Client, publish } from "./testing/memory_client.ts";
import { ShardPair } from "./testing/shard_pair.ts";

const times = 1_000;

const asked = (filter: string, qos: Qos, retainHandling: 0 | 1 | 2 = 0): Subscription => {
  return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling };
};

const subscribe = (pubsub: PubSub, outbound: Outbound, subscriptions: readonly Subscription[]) =>
  pubsub.subscribe(outbound, {
    kind: "subscribe",
    packetId: 1,
    subscriptions,
    properties: noProperties,
  });

const unsubscribe = (pubsub: PubSub, outbound: Outbound, filters: readonly string[]) =>
  pubsub.unsubscribe(outbound, {
    kind: "unsubscribe",
    packetId: 1,
    filters,
    properties: noProperties,
  });

/** How many subscriptions each call to the file was about. */
function writesOf({ kept }: PubSub): number[] {
  assert.ok(kept !== undefined);
  const written: number[] = [];
  const { subscribe, unsubscribe } = kept;
  kept.subscribe = (session, adds) => {
    written.push(adds.length);
    return subscribe.call(kept, session, adds);
  };
  kept.unsubscribe = (session, names) => {
    written.push(names.length);
    return unsubscribe.call(kept, session, names);
  };
  return written;
}

Deno.test("a kept session's filter that is named often is written once, and is one subscription", () =>
  withShards(async (pair) => {
    const pubsub = pair.shards[0]!;
    const written = writesOf(pubsub);
    const { outbound, attachment: { session } } = await KeptClient.connect(pair, pubsub);
    const often = Array.from({ length: times }, (_, i) => asked("a", i === times - 1 ? 1 : 2));
    const filters = ["b", "c", "d", "e", "f"].map((filter) => asked(filter, 0));
    const answer = subscribe(pubsub, outbound, [...often, ...filters]);
    pair.carry();
    // Five are allowed, and `a` is one of them; the last one of its grants holds.
    assert.deepEqual(
      await answer,
      [...often.map(({ qos }) => qos), 0, 0, 0, 0, 0x97],
    );
    assert.deepEqual(session.grants.get("a")?.qos, 1);
    // Who has as many as is allowed may still change them.
    const again = subscribe(pubsub, outbound, [...often, ...often]);
    pair.carry();
    assert.equal((await again).includes(0x97), false);
    const codes = unsubscribe(pubsub, outbound, ["b", ...often.map(({ filter }) => filter)]);
    assert.deepEqual(codes, [0, 0, ...Array.from({ length: times - 1 }, () => 0x11)]);
    assert.deepEqual(written, [5, 1, 2]);
  }));

Deno.test("a filter named twice in one packet: its retained messages once, the last grant from then on", () => {
  const pair = new ShardPair(1);
  const pubsub = pair.shards[0]!;
  publish(pubsub, "a", "kept", { qos: 2, retain: true });
  const client = new Client(pubsub);
  const codes = subscribe(pubsub, client.outbound, [
    asked("a", 0),
    asked("a", 0),
    asked("a", 1, 2),
    asked("b", 0),
  ]);
  assert.deepEqual(codes, [0, 0, 1, 0]);
  client.outbound.pump();
  publish(pubsub, "a", "new", { qos: 2 });
  const seen = client.packets().map(({ payload, qos }) => [new TextDecoder().decode(payload), qos]);
  assert.deepEqual(seen, [["kept", 0], ["new", 1]]);
  assert.deepEqual(unsubscribe(pubsub, client.outbound, ["a", "b", "a"]), [0, 0, 0x11]);
  assert.equal(pubsub.stats.subscriptions, 0);
});
