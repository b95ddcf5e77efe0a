/** What becomes of messages and sessions when their file fails, and when it is good again. */
import assert from "node:assert/strict";
import { Client } from "../pubsub/testing/memory_client.ts";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClient, publish, publishOnly, withFile, withShards } from "./testing.ts";

/** A claim at the first shard: the client is told to come again. */
async function refused(
  pair: ShardPair,
  request: { readonly key: string; readonly account: string; readonly expiryS?: number },
): Promise<void> {
  const claim = pair.shards[0]!.kept!.claim(
    { clean: false, expiryS: 100, will: undefined, willDelayS: 0, ...request },
    { placed() {}, evicted() {}, unreadable() {} },
    undefined,
  );
  pair.carry();
  const answer = await claim;
  assert.deepEqual(answer.kind === "refused" && answer.reasonCode, 0x88);
}

Deno.test("a full disk: nothing is acknowledged or sent that is not kept, and all goes on by itself", async () => {
  const faults = await withFile(async (file, pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const away = await KeptClient.connect(pair, here, { key: "away" });
    await away.subscribe("a", 1);
    away.leave();
    const client = await KeptClient.connect(pair, here);
    await client.subscribe("a", 1);
    assert.equal(publish(pair, here, "1", 1), true);
    const [first] = client.taken().publishes;
    for (const what of ["INSERT", "DELETE"]) {
      file.exec(`CREATE TRIGGER full_${what} BEFORE ${what} ON queue
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    }
    for (const shard of [here, there]) assert.equal(publish(pair, shard, "lost", 1), false);
    // What the client acknowledges meanwhile is not forgotten.
    client.acknowledged("puback", first!.packetId);
    pair.clock.advance(5_000);
    assert.deepEqual(client.payloads(), []);
    assert.equal(here.flush(), true, "others are not held up by it");
    assert.ok(here.stats.keptFailed > 0);

    for (const what of ["INSERT", "DELETE"]) file.exec(`DROP TRIGGER full_${what}`);
    pair.clock.advance(1_000);
    assert.equal(publish(pair, there, "2", 1), true);
    assert.deepEqual(client.payloads(), ["2"]);
    const back = await KeptClient.connect(pair, there);
    assert.deepEqual(back.payloads(), ["2"]);
    const other = await KeptClient.connect(pair, there, { key: "away" });
    assert.deepEqual(other.payloads(), ["1", "2"]);
  });
  assert.match(String(faults[0]), /disk is full/);
});

Deno.test("what a member left cannot be written for one that is kept: it is counted, once", async () => {
  await withFile(async (file, pair) => {
    const [here, there] = pair.shards;
    const filter = "$share/g/a";
    const member = new Client(here!, 1);
    member.subscribe(filter);
    for (const payload of ["1", "2"]) publish(pair, here!, payload, 1);
    const kept = await KeptClient.connect(pair, here!);
    await kept.subscribe(filter, 1);
    file.exec("BEGIN IMMEDIATE");
    here!.forget(member.outbound);
    assert.deepEqual([here!.stats.handedOver, here!.stats.lost.no_member], [0, 2]);
    // One is on its way to a shard whose member has left.
    const last = new Client(there!);
    const answer = last.subscribe(filter);
    pair.carry();
    await answer;
    for (const payload of ["4", "5"]) publishOnly(here!, payload, 1, {});
    there!.forget(last.outbound);
    here!.flush();
    pair.carry();
    assert.equal(there!.stats.lost.no_member + here!.stats.lost.no_member, 3);
    file.exec("ROLLBACK");
    publish(pair, here!, "3", 1);
    assert.deepEqual(kept.payloads(), ["3"]);
  });
});

Deno.test("a file that somebody locks: clients are refused, and let in when it is free", async () => {
  const faults = await withFile(async (file, pair) => {
    const [here] = pair.shards;
    const client = await KeptClient.connect(pair, here!);
    await client.subscribe("a", 1);
    file.exec("BEGIN IMMEDIATE");
    assert.equal(publish(pair, here!, "lost", 1), false);
    client.leave();
    await refused(pair, { key: "k", account: "" });
    file.exec("ROLLBACK");
    here!.kept!.sweep(() => true); // Tells the file that the client has left.
    assert.equal(publish(pair, here!, "kept", 1), true);
    assert.deepEqual((await KeptClient.connect(pair, here!)).payloads(), ["kept"]);
  });
  assert.match(String(faults[0]), /locked/);
});

Deno.test("a session that cannot be read for its client is away again, and over when its time is up", async () => {
  const faults = await withFile(async (file, pair) => {
    const [here] = pair.shards;
    (await KeptClient.connect(pair, here!)).leave();
    file.exec("ALTER TABLE incoming RENAME TO away");
    await refused(pair, { key: "k", account: "" });
    assert.equal(here!.kept!.disconnected, 0);
    file.exec("ALTER TABLE away RENAME TO incoming");
    here!.kept!.sweep(() => true);
    assert.equal(here!.kept!.disconnected, 1);
    pair.clock.advance(101_000);
    for (const shard of pair.shards) {
      shard.kept!.sweep(() => true);
      shard.flush();
    }
    pair.carry();
    assert.equal(here!.kept!.count, 0);
  });
  assert.match(String(faults[0]), /incoming/);
});

for (const expiryS of [100, 0]) {
  for (const table of ["subscription", "incoming"]) {
    Deno.test(`a claim for ${expiryS} s whose ${table} cannot be read: it is as if it had not been made`, async () => {
      const faults = await withFile(async (file, pair) => {
        const [here] = pair.shards;
        (await KeptClient.connect(pair, here!, { key: "before", expiryS: 200 })).leave("none", 200);
        file.exec(`ALTER TABLE ${table} RENAME TO away`);
        for (const key of ["before", "new"]) await refused(pair, { key, account: "A", expiryS });
        file.exec(`ALTER TABLE away RENAME TO ${table}`);
        here!.kept!.sweep(() => true);
        const sessions = file.prepare("SELECT key, holder, expiry_s, expires_ms FROM session")
          .all();
        const expiresMs = (s: number) => pair.clock.now() + s * 1_000;
        const before = { key: "before", holder: null, expiry_s: 200, expires_ms: expiresMs(200) };
        const made = { key: "new", holder: null, expiry_s: 100, expires_ms: expiresMs(100) };
        assert.deepEqual(
          sessions.map((row) => ({ ...row })),
          expiryS > 0 ? [before, made] : [before],
        );
      });
      assert.match(String(faults[0]), new RegExp(table));
    });
  }
}

for (const table of ["subscription", "queue", "message"]) {
  Deno.test(`a session with messages whose ${table} cannot be read: refused, counted, told once, and nothing lost`, async () => {
    const faults = await withFile(async (file, pair) => {
      const [here, there] = [pair.shards[0]!, pair.shards[1]!];
      const client = await KeptClient.connect(pair, here);
      await client.subscribe("a", 1);
      client.leave();
      assert.equal(publish(pair, here, "1", 1), true);
      file.exec(`ALTER TABLE ${table} RENAME TO away`);
      for (let tries = 0; tries < 3; tries++) await refused(pair, { key: "k", account: "" });
      assert.ok(here.stats.keptFailed >= 3);
      // The file takes it and the session is known, or it is not acknowledged.
      const isTaken = publish(pair, there, "2", 1);
      assert.equal(isTaken, table !== "queue");
      file.exec(`ALTER TABLE away RENAME TO ${table}`);
      for (const shard of pair.shards) shard.kept!.sweep(() => true);
      const again = publish(pair, there, "3", 1);
      assert.equal(again, true);
      const back = await KeptClient.connect(pair, here);
      assert.deepEqual(back.payloads(), isTaken ? ["1", "2", "3"] : ["1", "3"]);
    });
    const told = faults.filter((fault) => /no such table/.test(String(fault)));
    assert.ok(told.length > 0 && told.length <= 2, `${told.length} times, of two shards`);
  });
}

Deno.test("a subscription that could not be read back is refused, and known once it can be", async () => {
  await withFile(async (file, pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const client = await KeptClient.connect(pair, here);
    const { session } = client.attachment;
    const grant = { qos: 1, noLocal: false, retainAsPublished: false, ids: [] } as const;
    file.exec(`ALTER TABLE subscription RENAME TO away;
      CREATE VIEW subscription AS SELECT session, name, abs(-9223372036854775808) AS qos, no_local,
        as_published, sub_id, feed FROM away;
      CREATE TRIGGER taken INSTEAD OF INSERT ON subscription BEGIN
        INSERT INTO away VALUES (new.session, new.name, new.qos, new.no_local, new.as_published,
          new.sub_id, new.feed); END`);
    const subscriptions = [{ name: "a", grant, feedAfter: undefined }];
    assert.equal(here.kept!.subscribe(session, subscriptions), false);
    here.flush();
    pair.carry();
    file.exec("DROP VIEW subscription; ALTER TABLE away RENAME TO subscription");
    for (const shard of pair.shards) shard.kept!.sweep(() => true);
    assert.equal(publish(pair, there, "heard", 1), true);
    assert.deepEqual(client.payloads(), ["heard"]);
  });
});

Deno.test("a shard starts beside one session that cannot be read: the others get what is for them", async () => {
  await withFile(async (file, pair) => {
    for (const key of ["damaged", "whole"]) {
      const client = await KeptClient.connect(pair, pair.shards[0]!, { key });
      await client.subscribe("a", 1);
      client.leave();
    }
    file.exec(`ALTER TABLE subscription RENAME TO away;
      CREATE VIEW subscription AS SELECT session, name, no_local, as_published, sub_id, feed,
        CASE WHEN session = 1 THEN abs(-9223372036854775808) ELSE qos END AS qos FROM away`);
    pair.restart(1);
    assert.equal(publish(pair, pair.shards[1]!, "1", 1), true);
    file.exec("DROP VIEW subscription; ALTER TABLE away RENAME TO subscription");
    for (const shard of pair.shards) shard.kept!.sweep(() => true);
    assert.equal(publish(pair, pair.shards[1]!, "2", 1), true);
    const whole = await KeptClient.connect(pair, pair.shards[0]!, { key: "whole" });
    assert.deepEqual(whole.payloads(), ["1", "2"]);
    const damaged = await KeptClient.connect(pair, pair.shards[0]!, { key: "damaged" });
    assert.equal(damaged.payloads().at(-1), "2");
  });
});

Deno.test("a queue that cannot be read to its end is read when it can", async () => {
  const faults = await withFile(async (file, pair) => {
    const [here] = pair.shards;
    const client = await KeptClient.connect(pair, here!);
    await client.subscribe("a", 1);
    client.leave();
    for (const payload of ["waits", "too"]) publish(pair, here!, payload, 1);
    file.exec(`ALTER TABLE queue RENAME TO away;
      CREATE VIEW queue AS SELECT session, n, flags, ids, body, message,
        CASE WHEN n = 1 THEN abs(-9223372036854775808) ELSE bytes END AS bytes FROM away`);
    const back = await KeptClient.connect(pair, here!);
    assert.deepEqual(back.payloads(), []);
    file.exec("DROP VIEW queue; ALTER TABLE away RENAME TO queue");
    here!.kept!.sweep(() => true);
    assert.deepEqual(back.payloads(), ["waits", "too"]);
  });
  assert.match(String(faults[0]), /overflow/);
});

Deno.test("a shared subscription: all members away, one of them gets it; one is there, it does", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    for (const key of ["x", "y"]) {
      const member = await KeptClient.connect(pair, here, { key });
      await member.subscribe("$share/g/a", 1);
      member.leave();
    }
    for (const payload of ["1", "2", "3", "4"]) publish(pair, there, payload, 1);
    assert.equal(here.kept!.total.count, 4, "once each");
    const x = await KeptClient.connect(pair, there, { key: "x" });
    const first = x.payloads();
    assert.equal(first.length, 2, "in turn");
    publish(pair, here, "5", 1);
    publish(pair, there, "6", 1);
    assert.deepEqual(x.payloads(), ["5", "6"]);
    // Its shard dies: the session is away, like the other, and no message is lost.
    pair.restart(1);
    publish(pair, here, "7", 1);
    publish(pair, here, "8", 1);
    const again = await KeptClient.connect(pair, here, { key: "x" });
    const y = await KeptClient.connect(pair, here, { key: "y" });
    const heard = [again, y].map((member) => member.payloads());
    assert.deepEqual(heard[0]!.slice(0, 4), [...first, "5", "6"]);
    assert.deepEqual(heard.flat().toSorted(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
  }));
