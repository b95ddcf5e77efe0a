import assert from "node:assert/strict";
import fc from "fast-check";
import type { Qos } from "../codec/publish.ts";
import { filterMatches } from "../topic_filter.ts";
import type { Delivery, Message } from "./message.ts";
import type { PubSubOptions } from "./pubsub_options.ts";
import { Client, publish } from "./testing/memory_client.ts";
import { ShardPair } from "./testing/shard_pair.ts";

const text = new TextDecoder();

const single = (options: Partial<PubSubOptions> = {}) => {
  const pair = new ShardPair(1, options);
  return { pair, pubsub: pair.shards[0]! };
};

// Shows 5: 3.3.4-2, 3.3.4-3, 3.3.4-4, 3.8.4-8; 3.1.1: 3.3.5-1, 3.8.4-6.
Deno.test("overlapping subscriptions: one delivery, the highest QoS, all identifiers", () => {
  const { pubsub } = single();
  const client = new Client(pubsub);
  client.subscribe("a/+", { qos: 0 }, 7);
  client.subscribe("a/#", { qos: 1 }, 9);
  client.subscribe("b", { qos: 2 }, 11);
  assert.equal(publish(pubsub, "a/b", "x", { qos: 2 }), true);
  const [packet, ...more] = client.packets();
  assert.deepEqual(more, []);
  assert.equal(packet?.qos, 1);
  assert.deepEqual(packet?.properties.subscriptionIdentifiers?.toSorted(), [7, 9]);
});

// Shows 5: 3.8.3-3, 3.3.1-12, 3.3.1-13, 3.8.4-3.
Deno.test("no local, retain as published, and a subscription again with other options", () => {
  const { pubsub } = single();
  const own = new Client(pubsub);
  const other = new Client(pubsub);
  own.subscribe("a", { noLocal: true });
  other.subscribe("a", { retainAsPublished: true, qos: 0 });
  assert.equal(publish(pubsub, "a", "1", { from: own, retain: true, qos: 1 }), true);
  assert.deepEqual(own.packets(), []);
  assert.deepEqual(other.packets().map(({ qos, retain }) => [qos, retain]), [[0, true]]);
  own.subscribe("a", { noLocal: false, retainHandling: 2 });
  publish(pubsub, "a", "2", { from: own, retain: true });
  assert.deepEqual(own.packets().map(({ retain }) => retain), [false]);
  assert.equal(pubsub.stats.subscriptions, 2);
});

// Shows 5: 3.3.2-5, 3.3.2-6.
Deno.test("properties go on; an expiry goes on as what is left of it", () => {
  const { pair, pubsub } = single();
  const client = new Client(pubsub);
  client.subscribe("a");
  const kept = {
    contentType: "t",
    responseTopic: "r",
    correlationData: Uint8Array.of(1),
    userProperties: [["k", "v"], ["k", "w"]],
  } as const;
  client.stalled = true;
  const properties = { ...kept, messageExpiryIntervalS: 10, topicAlias: 3 };
  publish(pubsub, "a", "x", { properties });
  publish(pubsub, "a", "y", { properties: { messageExpiryIntervalS: 2 } });
  pair.clock.advance(3_500);
  client.stalled = false;
  const [packet, ...more] = client.packets();
  assert.deepEqual(more, []);
  assert.deepEqual(packet?.properties, { ...kept, messageExpiryIntervalS: 7 });
  assert.equal(pubsub.stats.lost.expired, 1);
});

// Shows 5: 3.3.4-9, 4.9.0-1, 4.9.0-2, 4.3.3-3, 4.3.3-4, 4.3.3-5; 3.1.1: 4.3.3-1.
Deno.test("the receive maximum is kept, and QoS 2 runs to its end", () => {
  const { pubsub } = single();
  const client = new Client(pubsub, 2);
  client.subscribe("a");
  for (let i = 0; i < 5; i++) publish(pubsub, "a", `${i}`, { qos: i % 2 === 0 ? 2 : 1 });
  const [first, second, ...more] = client.packets();
  assert.deepEqual([first?.qos, second?.qos, more.length], [2, 1, 0]);
  client.outbound.acknowledged("pubrec", first!.packetId, 0);
  assert.deepEqual(client.payloads(), []); // Its PUBCOMP is still to come.
  client.outbound.acknowledged("puback", second!.packetId, 0);
  assert.deepEqual(client.payloads(), ["2"]);
  client.outbound.acknowledged("pubcomp", first!.packetId, 0);
  assert.deepEqual(client.payloads(), ["3"]);
  client.outbound.acknowledged("puback", 999, 0);
  assert.equal(client.outbound.inFlight, 2);
});

// Shows 5: 4.4.0-2.
Deno.test("a refused PUBREC ends its message", () => {
  const { pubsub } = single();
  const client = new Client(pubsub, 1);
  client.subscribe("a");
  publish(pubsub, "a", "1", { qos: 2 });
  publish(pubsub, "a", "2", { qos: 2 });
  const [packet] = client.packets();
  client.outbound.acknowledged("pubrec", packet!.packetId, 0x97);
  assert.deepEqual(client.payloads(), ["2"]);
});

// Shows 5: 3.1.2-24, 3.1.2-25.
Deno.test("a packet larger than the client takes is not sent to it", () => {
  const { pubsub } = single();
  const client = new Client(pubsub, 10, 50);
  client.subscribe("a");
  publish(pubsub, "a", "x".repeat(100), { qos: 1 });
  publish(pubsub, "a", "y", { qos: 1 });
  assert.deepEqual(client.payloads(), ["y"]);
  assert.equal(pubsub.stats.lost.too_large, 1);
  assert.equal(client.outbound.inFlight, 1);
});

// Shows 5: 3.1.2-26, 3.1.2-27, 3.3.2-11.
Deno.test("a topic goes out once, then as its alias, to a client that allows aliases", () => {
  const { pubsub } = single();
  const client = new Client(pubsub, 100, 60, 1);
  const without = new Client(pubsub);
  client.subscribe("#");
  without.subscribe("#");
  for (const topic of ["topic/one", "topic/one", "topic/two"]) publish(pubsub, topic, "x");
  const seen = client.packets().map(({ topic, properties }) => [topic, properties.topicAlias]);
  assert.deepEqual(seen, [["topic/one", 1], ["", 1], ["topic/two", 1]]);
  assert.deepEqual(
    without.packets().map(({ topic, properties }) => [topic, properties.topicAlias]),
    [["topic/one", undefined], ["topic/one", undefined], ["topic/two", undefined]],
  );
  // With its alias the packet would be larger than the client takes.
  publish(pubsub, "topic/three", "x".repeat(44));
  publish(pubsub, "topic/three", "x");
  assert.deepEqual(
    client.packets().map(({ topic, properties }) => [topic, properties.topicAlias]),
    [["topic/three", undefined], ["topic/three", 1]],
  );
});

Deno.test("a slow subscriber costs itself alone", () => {
  const { pubsub } = single();
  const slow = new Client(pubsub);
  const quick = new Client(pubsub);
  for (const client of [slow, quick]) client.subscribe("a");
  slow.stalled = true;
  for (let i = 0; i < 30; i++) publish(pubsub, "a", `${i}`, { qos: i < 20 ? 0 : 1 });
  assert.equal(quick.payloads().length, 30);
  slow.stalled = false;
  assert.deepEqual(slow.payloads(), Array.from({ length: 10 }, (_, i) => `${20 + i}`));
  assert.deepEqual([pubsub.stats.lost.qos0_full, pubsub.stats.lost.full], [20, 0]);
});

// Shows 5: 4.5.0-1; 3.1.1: 4.5.0-1.
Deno.test("many subscribers get the same bytes with packet identifiers of their own", () => {
  const { pubsub } = single();
  const clients = Array.from({ length: 4 }, () => new Client(pubsub));
  clients.forEach((client, i) => {
    client.subscribe("a/#");
    for (let k = 0; k < i; k++) publish(pubsub, "a/warm", "x".repeat(200 * k), { qos: 1 });
    client.packets();
  });
  for (const client of clients) client.packets();
  publish(pubsub, "a/b", "payload ".repeat(40), { qos: 1 });
  const got = clients.map((client) => client.packets()[0]!);
  assert.ok(got.every(({ topic, payload }) => topic === "a/b" && payload.length === 320));
  assert.ok(new Set(got.map(({ packetId }) => packetId)).size > 1);
});

Deno.test("retained messages: sent once subscribed, as each subscription asks", () => {
  const { pubsub } = single();
  publish(pubsub, "a/b", "kept", { retain: true, qos: 2 });
  publish(pubsub, "a/c", "kept too", { retain: true });
  publish(pubsub, "a/c", "", { retain: true });
  const client = new Client(pubsub);
  client.subscribe("a/+", { qos: 1 }, 5);
  const [packet, ...more] = client.packets();
  assert.deepEqual(more, []);
  assert.deepEqual([packet?.topic, packet?.qos, packet?.retain], ["a/b", 1, true]);
  assert.deepEqual(packet?.properties.subscriptionIdentifiers, [5]);
  client.subscribe("a/+", { retainHandling: 1 });
  client.subscribe("a/#", { retainHandling: 2 });
  client.subscribe("$share/g/a/#");
  assert.deepEqual(client.packets(), []);
  client.subscribe("a/+", { retainHandling: 0 });
  assert.deepEqual(client.payloads(), ["kept"]);
});

Deno.test("more retained messages than a queue holds come as they are taken", () => {
  const { pair, pubsub } = single();
  pair.retained.pageMax = 3;
  for (let i = 0; i < 50; i++) publish(pubsub, `a/${i}`, `${i}`, { retain: true, qos: 1 });
  const client = new Client(pubsub, 2);
  client.subscribe("a/#");
  const got: string[] = [];
  for (let round = 0; got.length < 50 && round < 100; round++) {
    for (const { payload, packetId } of client.packets()) {
      got.push(text.decode(payload));
      client.outbound.acknowledged("puback", packetId, 0);
    }
    pair.clock.advance(1);
  }
  assert.equal(new Set(got).size, 50);
  assert.deepEqual(pubsub.stats.lost, {
    qos0_full: 0,
    full: 0,
    expired: 0,
    too_large: 0,
    peer_full: 0,
    session_full: 0,
    session_over: 0,
    denied: 0,
    damaged: 0,
    no_member: 0,
  });
});

Deno.test("many retained messages leave the event loop its share, however fast they are taken", () => {
  const { pair, pubsub } = single();
  pair.retained.pageMax = 3;
  for (let i = 0; i < 100; i++) publish(pubsub, `a/${i}`, `${i}`, { retain: true });
  const client = new Client(pubsub, 2);
  client.subscribe("a/#");
  const got = new Set<string>();
  const take = () => {
    for (let more = client.payloads(); more.length > 0; more = client.payloads()) {
      for (const payload of more) got.add(payload);
      client.outbound.drained();
    }
  };
  take();
  assert.ok(got.size > 0 && got.size < 50, `${got.size} at once`);
  pair.clock.advance(0);
  take();
  assert.equal(got.size, 100);
});

Deno.test("nobody listens: nothing is sent, and the publisher can be told", () => {
  const { pubsub } = single();
  assert.equal(publish(pubsub, "a", "x"), false);
  const client = new Client(pubsub);
  client.subscribe("#");
  assert.equal(publish(pubsub, "$SYS/uptime", "forged", { retain: true }), false);
  assert.equal(publish(pubsub, "$other", "x"), false);
  assert.equal(publish(pubsub, "a", "x"), true);
  assert.deepEqual(client.unsubscribe("#"), [0]);
  assert.deepEqual(client.unsubscribe("#"), [0x11]);
  assert.deepEqual(client.unsubscribe("#/a"), [0x8f]);
  assert.equal(publish(pubsub, "a", "x"), false);
  assert.deepEqual(client.payloads(), ["x"]);
});

Deno.test("subscriptions are bounded for a session, for the shard, and in length", () => {
  const { pubsub } = single();
  const clients = Array.from({ length: 5 }, () => new Client(pubsub));
  for (const client of clients) {
    for (let i = 0; i < 4; i++) assert.deepEqual(client.subscribe(`a/${i}`), [2]);
  }
  assert.deepEqual(clients[0]!.subscribe("b"), [0x97]);
  assert.deepEqual(clients[0]!.subscribe("a/1"), [2]);
  for (const client of clients) pubsub.forget(client.outbound);
  assert.equal(pubsub.stats.subscriptions, 0);
  const late = new Client(pubsub);
  assert.deepEqual(late.subscribe("a/".repeat(100)), [0x97]);
  assert.deepEqual(late.subscribe("x".repeat(2_000)), [0x97]);
  for (let i = 0; i < 5; i++) assert.deepEqual(late.subscribe(`a/${i}`), [2]);
  assert.deepEqual(late.subscribe("a/6"), [0x97]);
  assert.deepEqual(late.subscribe("a/#/b"), [0x8f]);
});

Deno.test("subscriptions of an account's quota: told what there is, asked before one more", () => {
  const { pubsub } = single();
  let held = 0;
  const quota = {
    get full() {
      return held >= 2;
    },
    counted(count: number) {
      held = count;
    },
  };
  const client = new Client(pubsub, 100, Infinity, 0, quota);
  for (const filter of ["a", "b"]) assert.deepEqual(client.subscribe(filter), [2]);
  assert.deepEqual(client.subscribe("c"), [0x97]);
  assert.deepEqual(client.subscribe("b"), [2], "one that is there is only changed");
  assert.equal(held, 2);
  client.unsubscribe("a");
  assert.deepEqual(client.subscribe("c"), [2]);
  pubsub.forget(client.outbound);
  assert.equal(held, 0);
  assert.equal(pubsub.stats.subscriptionsRefused, 1);
});

// --- Between shards.

Deno.test("a message crosses only where somebody listens, and SUBACK waits until that is known", async () => {
  const pair = new ShardPair(3);
  const [near, far] = pair.shards;
  assert.equal(publish(near!, "a/b", "nobody"), false);
  assert.equal(pair.mail.length, 0);
  const client = new Client(far!);
  const answer = client.subscribe("a/+", { qos: 1 });
  assert.ok(answer instanceof Promise);
  pair.carry();
  assert.deepEqual(await answer, [1]);
  assert.equal(publish(near!, "a/b", "x", { qos: 2, retain: true }), true);
  assert.equal(publish(near!, "b", "y"), false);
  assert.deepEqual(pair.mail.map(({ to, mail }) => [to, mail.kind]), [[1, "messages"]]);
  pair.carry();
  const [packet] = client.packets();
  assert.deepEqual([packet?.topic, packet?.qos, packet?.retain], ["a/b", 1, false]);
  client.unsubscribe("a/+");
  pair.carry();
  assert.equal(publish(near!, "a/b", "z"), false);
});

Deno.test("a message published elsewhere while a subscription is on its way is found as retained", async () => {
  const pair = new ShardPair();
  const [near, far] = pair.shards;
  const client = new Client(far!);
  const answer = client.subscribe("a");
  publish(near!, "a", "x", { retain: true });
  pair.carry();
  assert.deepEqual(await answer, [2]);
  client.outbound.pump();
  assert.deepEqual(client.payloads(), ["x"]);
});

Deno.test("a link without credit: interest waits as a state, messages within a bound", async () => {
  const pair = new ShardPair();
  const [near, far] = pair.shards;
  const client = new Client(far!);
  pair.credit = 0;
  const answer = client.subscribe("a");
  client.unsubscribe("a");
  client.subscribe("a", { qos: 1 });
  assert.equal(pair.mail.length, 0);
  pair.credit = Infinity;
  pair.clock.advance(10);
  pair.carry();
  pair.clock.advance(10);
  pair.carry();
  assert.deepEqual(await answer, [2]);
  pair.credit = 0;
  const large = "x".repeat(100_000);
  for (let i = 0; i < 20; i++) publish(near!, "a", large, { qos: i < 10 ? 0 : 1 });
  assert.ok(near!.stats.lost.peer_full > 5);
  pair.credit = Infinity;
  pair.clock.advance(10);
  pair.carry();
  assert.equal(near!.stats.forwarded + near!.stats.lost.peer_full, 20);
});

Deno.test("who waits for a shard that is gone is answered, and its subscribers are forgotten", async () => {
  const pair = new ShardPair();
  const [near, far] = pair.shards;
  const there = new Client(far!);
  there.subscribe("b");
  pair.carry();
  const answer = new Client(near!).subscribe("a");
  near!.lost(1);
  assert.deepEqual(await answer, [2]);
  assert.equal(publish(near!, "b", "x"), false);
  // The shard is back, and told of all that there is.
  pair.mail = [];
  pair.link(0, 1);
  pair.link(1, 0);
  pair.carry();
  assert.equal(publish(far!, "a", "x"), true);
  assert.equal(publish(near!, "b", "x"), true);
});

Deno.test("a shared subscription over shards: each message to one member, all in turn", async () => {
  const pair = new ShardPair();
  const clients = [0, 0, 1].map((shard) => new Client(pair.shards[shard]!));
  const answers = clients.map((client) => client.subscribe("$share/g/a/#"));
  const all = new Client(pair.shards[1]!);
  answers.push(all.subscribe("a/+"));
  pair.carry();
  await Promise.all(answers);
  for (let i = 0; i < 30; i++) {
    assert.equal(publish(pair.shards[i % 2]!, "a/b", `${i}`), true);
    pair.carry();
  }
  const got = clients.map((client) => client.payloads());
  assert.deepEqual(got.map(({ length }) => length), [10, 10, 10]);
  assert.equal(new Set(got.flat()).size, 30);
  assert.equal(all.payloads().length, 30);
});

Deno.test("a shared subscription passes over the member that does not keep up", () => {
  const { pubsub } = single();
  const [slow, quick] = [new Client(pubsub), new Client(pubsub)];
  for (const client of [slow, quick]) client.subscribe("$share/g/a");
  slow.stalled = true;
  for (let i = 0; i < 6; i++) publish(pubsub, "a", `${i}`);
  assert.equal(quick.payloads().length, 6);
  pubsub.forget(quick.outbound);
  publish(pubsub, "a", "last");
  slow.stalled = false;
  assert.deepEqual(slow.payloads(), ["last"]);
});

const level = fc.constantFrom("a", "b", "$x");
const topic = fc.array(level, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const filter = fc.tuple(
  fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 3 }),
  fc.boolean(),
).map(([levels, all]) => all ? [...levels, "#"].join("/") : levels.join("/"));
const step = fc.oneof(
  fc.record({ kind: fc.constant("subscribe"), who: fc.nat(3), filter, qos: fc.nat(2) }),
  fc.record({ kind: fc.constant("unsubscribe"), who: fc.nat(3), filter, qos: fc.nat(2) }),
  fc.record({ kind: fc.constant("publish"), who: fc.nat(1), filter: topic, qos: fc.nat(2) }),
);

Deno.test("whoever subscribes to whatever, wherever: each gets what a naive model says", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pair = new ShardPair();
      const clients = [0, 0, 1, 1].map((shard) => new Client(pair.shards[shard]!, 65_535));
      const model = clients.map(() => new Map<string, number>());
      for (const [i, { kind, who, filter, qos }] of steps.entries()) {
        if (kind === "subscribe") {
          if (model[who]!.size === 5 && !model[who]!.has(filter)) continue; // Its bound.
          clients[who]!.subscribe(filter, { qos: qos as Qos });
          model[who]!.set(filter, qos);
        } else if (kind === "unsubscribe") {
          clients[who]!.unsubscribe(filter);
          model[who]!.delete(filter);
        } else {
          const expected = model.map((filters) => {
            const matching = [...filters].filter(([name]) => filterMatches(name, filter));
            return matching.length === 0
              ? []
              : [[`${i}`, Math.min(qos, Math.max(...matching.map(([, granted]) => granted)))]];
          });
          const reached = publish(pair.shards[who]!, filter, `${i}`, { qos: qos as Qos });
          assert.equal(reached, expected.some(({ length }) => length > 0));
          pair.carry();
          const got = clients.map((client) =>
            client.packets().map(({ payload, qos }) => [text.decode(payload), qos])
          );
          assert.deepEqual(got, expected);
        }
        pair.carry();
      }
    }),
    { seed: 3, numRuns: 200 },
  );
});

Deno.test("messages in flight to a client are bounded, whatever it allows", () => {
  const { pubsub } = single({ inFlightMax: 2 });
  const client = new Client(pubsub, 100);
  client.subscribe("a");
  for (const payload of ["1", "2", "3"]) publish(pubsub, "a", payload, { qos: 1 });
  const sent = client.packets();
  assert.deepEqual(sent.map(({ payload }) => text.decode(payload)), ["1", "2"]);
  client.outbound.acknowledged("puback", sent[0]!.packetId, 0);
  assert.deepEqual(client.payloads(), ["3"]);
});

Deno.test("a filter of too many levels is refused; the name of a share does not count", () => {
  const { pubsub } = single({ filterLevelsMax: 3 });
  const client = new Client(pubsub);
  const answers = ["a/+/#", "$share/group/a/+/#", "a/b/c/d", "$share/group/a/b/c/d"]
    .map((filter) => client.subscribe(filter));
  assert.deepEqual(answers, [[2], [2], [0x97], [0x97]]);
  assert.equal(pubsub.stats.subscriptionsRefused, 2);
});

Deno.test("who is no session hears of every shard, until it wants no more", async () => {
  const pair = new ShardPair();
  const [here, there] = [pair.shards[0]!, pair.shards[1]!];
  const heard: string[] = [];
  const listener = {
    names: new Set<string>(),
    ready: true,
    deliver: ({ topic, payload }: Message, { qos, retain }: Delivery) => {
      heard.push(`${topic} ${text.decode(payload)} ${qos} ${retain}`);
    },
  };
  const known = here.listen(listener, "a/#");
  pair.carry();
  await known;
  publish(there, "a/b", "1", { qos: 2, retain: true });
  publish(here, "a", "2");
  publish(here, "b", "3");
  pair.carry();
  assert.deepEqual(heard.toSorted(), ["a 2 0 false", "a/b 1 2 true"]);
  here.unlisten(listener, "a/#");
  here.unlisten(listener, "a/#");
  pair.carry();
  assert.equal(publish(there, "a/b", "4"), false);
  assert.equal(here.listening || there.listening, false);
});
