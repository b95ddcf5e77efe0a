import assert from "node:assert/strict";
import { encodeWill } from "./will_record.ts";
import { KeptClient as Client, payloadOf, publish, withShards } from "./testing.ts";

const utf8 = new TextEncoder();

Deno.test("a queue goes on in the other shard; what was sent comes again as it was", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const first = await Client.connect(pair, here);
    assert.equal(first.present, false);
    await first.subscribe("a", 2);
    publish(pair, there, "1", 2);
    publish(pair, here, "2", 2);
    publish(pair, there, "3", 1);
    const { publishes } = first.taken();
    assert.deepEqual(publishes.map(({ payload }) => payloadOf({ payload })), ["1", "2", "3"]);
    const ids = publishes.map(({ packetId }) => packetId);
    first.acknowledged("pubrec", ids[0]!);
    assert.deepEqual(first.taken().releases, [ids[0]]);
    // It comes back elsewhere, while the old connection is still there.
    const second = await Client.connect(pair, there);
    assert.deepEqual([first.evicted, second.present], [true, true]);
    const again = second.taken();
    assert.deepEqual(again.releases, [ids[0]]);
    assert.deepEqual(
      again.publishes.map(({ packetId, dup, payload }) => [packetId, dup, payloadOf({ payload })]),
      [[ids[1], true, "2"], [ids[2], true, "3"]],
    );
    second.acknowledged("pubcomp", ids[0]!);
    second.acknowledged("pubrec", ids[1]!);
    second.acknowledged("pubcomp", ids[1]!);
    second.acknowledged("puback", ids[2]!);
    second.leave();
    publish(pair, here, "4", 1);
    publish(pair, here, "nobody is there", 0);
    const third = await Client.connect(pair, here);
    const [last, ...more] = third.taken().publishes;
    assert.deepEqual([last?.dup, last && payloadOf(last), more.length], [false, "4", 0]);
  }));

Deno.test("queues are bounded, and messages expire in them", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const client = await Client.connect(pair, here);
    await client.subscribe("a", 1);
    client.leave();
    for (let i = 0; i < 25; i++) {
      publish(pair, there, `${i}`, 1, { expiryS: i < 5 ? 10 : undefined });
    }
    assert.equal(there.stats.lost.session_full, 5);
    pair.clock.advance(11_000);
    const back = await Client.connect(pair, there);
    assert.deepEqual(back.payloads(), Array.from({ length: 15 }, (_, i) => `${i + 5}`));
    assert.equal(there.stats.lost.expired, 5);
    assert.equal(there.kept!.total.count <= 20, true);
  }));

Deno.test("a delayed will is sent in its time, unless the client is back", () =>
  withShards(async (pair) => {
    const will = encodeWill({
      topic: "w",
      payload: utf8.encode("gone"),
      qos: 1,
      retain: false,
      properties: { willDelayIntervalS: 5 },
    });
    const sent: string[] = [];
    const sweep = () => {
      for (const { kept } of pair.shards) {
        kept!.sweep(({ topic }, key) => sent.push(topic + key) > 0);
      }
    };
    const request = { will, willDelayS: 5 };
    (await Client.connect(pair, pair.shards[0]!, request)).leave("later");
    pair.clock.advance(4_000);
    sweep();
    const back = await Client.connect(pair, pair.shards[1]!, request);
    pair.clock.advance(10_000);
    sweep();
    assert.deepEqual(sent, []);
    back.leave("later");
    pair.clock.advance(5_000);
    sweep();
    sweep();
    assert.deepEqual(sent, ["wk"]);
    pair.clock.advance(96_000);
    sweep();
    for (const shard of pair.shards) shard.flush();
    pair.carry();
    assert.equal(pair.shards.some(({ kept }) => kept!.has("k")), false, "its time is up");
  }));

for (const setByMs of [18_000_000, -18_000_000]) {
  Deno.test(`a clock that is set by ${setByMs} ms ends no session and sends no will`, () =>
    withShards(async (pair) => {
      const properties = { willDelayIntervalS: 5 };
      const payload = utf8.encode("gone");
      const will = encodeWill({ topic: "w", payload, qos: 1, retain: false, properties });
      const sent: string[] = [];
      const passAndSweep = (ms: number) => {
        pair.clock.advance(ms);
        for (const { kept } of pair.shards) kept!.sweep(({ topic }) => sent.push(topic) > 0);
        for (const shard of pair.shards) shard.flush();
        pair.carry();
      };
      const client = await Client.connect(pair, pair.shards[0]!, { will, willDelayS: 5 });
      await client.subscribe("a", 1);
      client.leave("later");
      publish(pair, pair.shards[1]!, "waits", 1);
      passAndSweep(1_000);
      pair.clock.setBy(setByMs);
      passAndSweep(3_000);
      assert.deepEqual(sent, []);
      passAndSweep(1_000);
      assert.deepEqual(sent, ["w"]);
      passAndSweep(90_000);
      const back = await Client.connect(pair, pair.shards[1]!);
      assert.deepEqual([back.present, back.payloads()], [true, ["waits"]]);
      back.leave();
      passAndSweep(101_000);
      assert.equal(pair.shards.some(({ kept }) => kept!.has("k")), false, "its time is up");
    }));
}

Deno.test("a clock that was wrong at the start moves nothing that was left while it was right", () =>
  withShards(async (pair) => {
    const sweep = (ms: number) => {
      pair.clock.advance(ms);
      for (const { kept } of pair.shards) kept!.sweep(() => true);
      for (const shard of pair.shards) shard.flush();
      pair.carry();
    };
    pair.clock.setBy(50 * 365 * 86_400_000);
    sweep(1_000);
    const before = await Client.connect(pair, pair.shards[0]!, { key: "before" });
    before.leave();
    for (const { kept } of pair.shards) kept!.close();
    pair.clock.setBy(-50 * 365 * 86_400_000);
    for (const shard of [0, 1]) pair.restart(shard); // A board without a clock of its own.
    const since = await Client.connect(pair, pair.shards[1]!, { key: "since" });
    since.leave();
    pair.clock.setBy(50 * 365 * 86_400_000);
    // Before any shard has swept: its time is not up.
    assert.equal((await Client.connect(pair, pair.shards[0]!, { key: "since" })).present, true);
    sweep(200_000);
    assert.equal(pair.shards.some(({ kept }) => kept!.has("before")), false, "its time is up");
  }));

Deno.test("a will that was to be sent at once is not lost by a kill before, nor when it is not kept", () =>
  withShards(async (pair) => {
    const will = encodeWill({
      topic: "w",
      payload: utf8.encode("gone"),
      qos: 1,
      retain: false,
      properties: {},
    });
    const sent: string[] = [];
    let kept = true;
    const sweepAfter = (ms: number) => {
      pair.clock.advance(ms);
      for (const shard of pair.shards) {
        shard.kept!.sweep((_will, key) => {
          if (kept) sent.push(key);
          return kept;
        });
        shard.flush();
      }
      pair.carry();
    };
    const killed = await Client.connect(pair, pair.shards[0]!, { key: "killed", will });
    const connected = await Client.connect(pair, pair.shards[0]!, { key: "connected", will });
    const told = await Client.connect(pair, pair.shards[1]!, { key: "told", will });
    killed.leave("now", 5);
    told.leave("now");
    pair.shards[1]!.kept!.willSent(told.attachment.session.id);
    pair.restart(0);
    kept = false;
    sweepAfter(1_000);
    kept = true;
    sweepAfter(1_000);
    assert.deepEqual(sent, ["connected"]);
    assert.equal(connected.evicted, undefined);
    sweepAfter(8_000);
    sweepAfter(20_000);
    assert.deepEqual(sent, ["connected", "killed"]);
    assert.equal(pair.shards[0]!.kept!.has("killed"), false);
  }));

Deno.test("sessions are bounded; one that ends makes room", () =>
  withShards(async (pair) => {
    const [here] = pair.shards;
    for (const key of ["x", "y", "z"]) await Client.connect(pair, here!, { key });
    const request = { key: "v", account: "", clean: false, expiryS: 9, will: undefined };
    const host = { placed() {}, evicted() {}, unreadable() {} };
    const result = await here!.kept!.claim({ ...request, willDelayS: 0 }, host, undefined);
    assert.equal(result.kind, "refused");
    const discarded = here!.kept!.discard("x");
    pair.carry();
    assert.equal((await discarded).kind, "discarded");
    assert.equal((await Client.connect(pair, here!, { key: "v" })).present, false);
  }));

Deno.test("kept subscriptions count once, however many shards know of them", () =>
  withShards(
    async (pair) => {
      const [here, there] = pair.shards;
      const first = await Client.connect(pair, here!, { key: "x" });
      for (let i = 0; i < 5; i++) await first.subscribe(`x/${i}`, 1);
      const second = await Client.connect(pair, there!, { key: "y" });
      for (let i = 0; i < 3; i++) await second.subscribe(`y/${i}`, 1);
      // Two shards with room for 4 each: the ninth is one too many, wherever it is asked for.
      await assert.rejects(second.subscribe("y/3", 1), /151/);
      await assert.rejects(first.subscribe("x/5", 1), /151/);
      assert.deepEqual(pair.shards.map(({ stats }) => stats.subscriptions), [8, 0]);
      first.leave("none", 0);
      await second.subscribe("y/3", 1);
      assert.deepEqual(pair.shards.map(({ stats }) => stats.subscriptions), [4, 0]);
    },
    undefined,
    { shards: 2, subscriptionsMax: 4, sessionSubscriptionsMax: 100 },
  ));

Deno.test("an account's sessions have their places in all shards, until they end or their time is up", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const places = (account: string, key = "", max = 9) => {
      const { own, count } = there.kept!.accounts.places(account, key);
      return own ? "own" : count(max);
    };
    const one = await Client.connect(pair, here, { key: "A\0one", account: "A" });
    await Client.connect(pair, there, { key: "A\0two", account: "A" });
    await Client.connect(pair, there, { key: "free" });
    assert.deepEqual(places("A", "A\0one"), "own");
    assert.deepEqual(places("A", "", 0), 1, "no further than need be");
    assert.deepEqual(places("B", "A\0one"), 0);
    one.leave();
    assert.deepEqual(places("A", "A\0new"), 2);
    assert.deepEqual(places("B"), 0);
    assert.deepEqual(places(""), 0);
    pair.clock.advance(97_000);
    assert.deepEqual(places("A", "A\0one"), 1, "it may be over before it is claimed");
    assert.deepEqual(places("A", "A\0new"), 2);
    pair.clock.advance(4_000);
    assert.deepEqual(places("A", "A\0one"), 1, "before it is swept away");
    (await Client.connect(pair, here, { key: "A\0two", account: "A" })).leave("none", 0);
    assert.deepEqual(places("A"), 0);
  }));

Deno.test("a key is known by all of it, also for the client that wants its session to end", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const keys = ["A\0one", "A\0two"];
    for (const key of keys) (await Client.connect(pair, here, { key, account: "A" })).leave();
    assert.deepEqual(keys.map((key) => there.kept!.has(key)), [true, true]);
    const discarded = there.kept!.discard("A\0one");
    pair.carry();
    assert.equal((await discarded).kind, "discarded");
    assert.deepEqual(keys.map((key) => here.kept!.has(key)), [false, true]);
  }));
