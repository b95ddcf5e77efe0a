/**
 * A kept session against a model of it: whatever a client, publishers, time and kills do, in
 * whatever order, what a publisher was told is kept comes, in order, and QoS 2 once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import type { Qos } from "../codec/publish.ts";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { KeptClient, keptSettings, payloadOf, publishOnly } from "./testing.ts";

const queueMessagesMax = 8;
const sessionExpiryS = 100;

type Step =
  | { readonly kind: "connect"; readonly shard: number; readonly clean: boolean }
  | { readonly kind: "cut" | "kill" }
  | { readonly kind: "kill_shard"; readonly shard: number }
  /** A kill when a message was published: before it is written, or before anybody was told. */
  | {
    readonly kind: "crash";
    readonly shard: number;
    readonly topic: string;
    readonly written: boolean;
  }
  | { readonly kind: "subscribe"; readonly topic: string }
  | {
    readonly kind: "publish";
    readonly shard: number;
    readonly topic: string;
    readonly qos: Qos;
    readonly expiryS: number | undefined;
  }
  /** The client acknowledges so many of what it got. */
  | { readonly kind: "acknowledge"; readonly count: number }
  | { readonly kind: "pass"; readonly s: number };

const shard = fc.integer({ min: 0, max: 1 });
const topic = fc.constantFrom("a", "b");
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("connect"), shard, clean: fc.constant(false) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("connect"), shard, clean: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("cut", "kill") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill_shard"), shard }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("crash"), shard, topic, written: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("subscribe"), topic }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("publish"),
        shard,
        topic,
        qos: fc.constantFrom<Qos[]>(0, 1, 2),
        expiryS: fc.constantFrom(undefined, undefined, 20),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("acknowledge"),
        count: fc.integer({ min: 1, max: 5 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("pass"), s: fc.constantFrom(1, 25, 101) }),
    },
  ),
  { minLength: 10, maxLength: 80 },
);

/** A message that must reach the client, unless it expires or its session ends. */
interface Promised {
  readonly payload: string;
  readonly topic: string;
  readonly qos: Qos;
  readonly expiresMs: number;
}

class World {
  readonly #settings;
  readonly #file: DatabaseSync;
  #pair: ShardPair;
  #client: KeptClient | undefined;
  /** What the client remembers with its session: QoS 2 identifiers that were not released. */
  readonly #unreleased = new Set<number>();
  #owed: { readonly kind: "puback" | "pubrec" | "pubcomp"; readonly id: number }[] = [];
  readonly #subscribed = new Set<string>();
  /** The shard it is connected to. */
  #shard = 0;
  #exists = false;
  /** Wall time, ms, at which the session is over. */
  #overMs = Infinity;
  #promised: Promised[] = [];
  #count = 0;
  /** How often each came, in the order in which they came first. */
  readonly heard = new Map<string, number>();

  constructor(directory: string) {
    this.#settings = { ...keptSettings(directory, 2), queueMessagesMax };
    this.#pair = new ShardPair(2, { kept: this.#settings });
    this.#file = new DatabaseSync(this.#settings.file, { readOnly: true });
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "connect":
        return await this.connect(step.shard, step.clean);
      case "cut":
        return this.#cut();
      case "kill":
        return this.#kill();
      case "kill_shard":
        return this.#killShard(step.shard);
      case "crash":
        return this.#crash(step);
      case "subscribe":
        if (this.#client === undefined) return;
        await this.#client.subscribe(step.topic, 2);
        this.#subscribed.add(step.topic);
        return;
      case "publish":
        return this.#publish(step);
      case "acknowledge":
        return this.acknowledge(step.count);
      case "pass":
        return this.#pass(step.s * 1_000);
      default:
        return step satisfies never;
    }
  }

  async connect(at: number, clean: boolean): Promise<void> {
    const { clock, shards } = this.#pair;
    const lives = this.#exists && this.#overMs > clock.now();
    const before = this.#client;
    const client = await KeptClient.connect(this.#pair, shards[at]!, { clean });
    if (before !== undefined) assert.equal(before.evicted, !clean);
    assert.equal(client.present, lives && !clean);
    if (!client.present) this.#forget();
    this.#exists = true;
    this.#overMs = Infinity;
    this.#owed = [];
    this.#client = client;
    this.#shard = at;
    this.#listen();
  }

  /** Acknowledges so many of what came, in the order it came; PUBRELs that follow come behind. */
  acknowledge(count: number): void {
    for (let i = 0; i < count; i++) {
      const next = this.#owed.shift();
      if (next === undefined) return;
      this.#client!.acknowledged(next.kind, next.id);
      this.#listen();
    }
  }

  /** What must hold at all times. */
  check(): void {
    const rows = this.#file.prepare(
      `SELECT COALESCE(SUM(queue.bytes), 0) AS bytes, COUNT(queue.n) AS count, session.count AS its,
       session.bytes AS its_bytes FROM session LEFT JOIN queue ON queue.session = session.id
       GROUP BY session.id`,
    ).all();
    let count = 0;
    let bytes = 0;
    for (const row of rows) {
      assert.deepEqual([row["its"], row["its_bytes"]], [row["count"], row["bytes"]]);
      assert.ok(Number(row["count"]) <= queueMessagesMax);
      count += Number(row["count"]);
      bytes += Number(row["bytes"]);
    }
    assert.deepEqual(this.#pair.shards[0]!.kept!.total, { count, bytes }, "the total is the sum");
    const left = this.#file.prepare(
      `SELECT (SELECT COUNT(*) FROM queue) AS queued, (SELECT COUNT(*) FROM message WHERE uses <>
       (SELECT COUNT(*) FROM queue WHERE queue.message = message.id)) AS unbalanced`,
    ).get();
    assert.deepEqual(
      { ...left },
      { queued: count, unbalanced: 0 },
      "nothing is left of what ended",
    );
  }

  /** Comes back, takes all, and looks whether that was all. */
  async finish(): Promise<void> {
    await this.connect(0, false);
    while (this.#owed.length > 0) this.acknowledge(1);
    const nowMs = this.#pair.clock.now();
    for (const { payload, qos, expiresMs } of this.#promised) {
      const times = this.heard.get(payload) ?? 0;
      if (times === 0) assert.ok(expiresMs <= nowMs, `${payload} never came`);
      if (qos === 2) assert.ok(times <= 1, `${payload} came ${times} times`);
    }
    const order = [...this.heard.keys()];
    for (const topic of ["a", "b"]) {
      for (const qos of [1, 2]) {
        const its = this.#promised.filter((one) => one.topic === topic && one.qos === qos)
          .map(({ payload }) => payload);
        const heard = order.filter((payload) => its.includes(payload));
        assert.deepEqual(heard, its.filter((payload) => this.heard.has(payload)), "in order");
      }
    }
    // What was acknowledged to the end is forgotten.
    this.#cut();
    await this.connect(1, false);
    assert.deepEqual(this.#owed, []);
    assert.equal(this.#pair.shards[0]!.kept!.total.count, 0);
  }

  close(): void {
    this.#file.close();
    for (const shard of this.#pair.shards) shard.close();
  }

  #publish({ shard: at, topic, qos, expiryS }: Step & { readonly kind: "publish" }): void {
    const pubsub = this.#pair.shards[at]!;
    const payload = `${this.#count++}`;
    const before = pubsub.stats.lost.session_full;
    publishOnly(pubsub, payload, qos, { expiryS, topic });
    assert.equal(pubsub.flush(), true);
    const full = pubsub.stats.lost.session_full > before;
    if (!full) this.#promise(payload, topic, qos, expiryS);
    this.#pair.carry();
    this.#listen();
    const due = this.#client !== undefined && this.#subscribed.has(topic) && !full;
    assert.equal(this.heard.has(payload), due, "who is connected gets it at once");
  }

  #promise(payload: string, topic: string, qos: Qos, expiryS: number | undefined): void {
    const nowMs = this.#pair.clock.now();
    if (qos === 0 || !this.#subscribed.has(topic) || this.#overMs <= nowMs) return;
    const expiresMs = expiryS === undefined ? Infinity : nowMs + expiryS * 1_000;
    this.#promised.push({ payload, topic, qos, expiresMs });
  }

  #cut(): void {
    if (this.#client === undefined) return;
    this.#client.leave("none", sessionExpiryS);
    this.#client = undefined;
    this.#owed = [];
    this.#overMs = this.#pair.clock.now() + sessionExpiryS * 1_000;
  }

  /** Nothing is flushed or closed: all that is left is the file. */
  #kill(): void {
    this.#pair = new ShardPair(2, { kept: this.#settings }, this.#pair.clock.now());
    this.#lost();
  }

  #killShard(shard: number): void {
    this.#pair.restart(shard);
    if (this.#shard === shard) this.#lost();
    this.#listen();
  }

  #crash({ shard, topic, written }: Step & { readonly kind: "crash" }): void {
    const pubsub = this.#pair.shards[shard]!;
    const payload = `${this.#count++}`;
    const before = pubsub.stats.lost.session_full;
    publishOnly(pubsub, payload, 2, { topic });
    if (written) assert.equal(pubsub.flush(), true);
    const full = pubsub.stats.lost.session_full > before;
    if (written && !full) this.#promise(payload, topic, 2, undefined);
    this.#kill();
  }

  /** The server has lost the client's connection. */
  #lost(): void {
    if (this.#client === undefined) return;
    this.#client = undefined;
    this.#owed = [];
    this.#overMs = this.#pair.clock.now() + sessionExpiryS * 1_000;
  }

  #pass(ms: number): void {
    this.#pair.clock.advance(ms);
    const stats = this.#pair.shards.map(({ stats }) => stats);
    const before = stats.map(({ lost }) => lost.session_over);
    const waited = this.#pair.shards[0]!.kept!.total.count;
    for (const shard of this.#pair.shards) {
      shard.kept!.sweep(() => true);
      shard.flush();
    }
    this.#pair.carry();
    if (!this.#exists || this.#overMs > this.#pair.clock.now()) return;
    const over = stats.map(({ lost }, at) => lost.session_over - before[at]!);
    assert.equal(over[0]! + over[1]!, waited, "what is given up is counted");
    this.#forget();
  }

  /** The session is over. */
  #forget(): void {
    this.#exists = false;
    this.#unreleased.clear();
    this.#subscribed.clear();
    this.#promised = this.#promised.filter(({ payload }) => this.heard.has(payload));
  }

  /** Takes what the client was sent. */
  #listen(): void {
    if (this.#client === undefined) return;
    const { publishes, releases } = this.#client.taken();
    for (const packet of publishes) {
      const { qos, packetId: id } = packet;
      const payload = payloadOf(packet);
      if (this.heard.has(payload)) assert.equal(packet.dup, true, `${payload} comes again`);
      if (qos !== 2 || !this.#unreleased.has(id)) {
        this.heard.set(payload, (this.heard.get(payload) ?? 0) + 1);
      }
      if (qos === 1) this.#owed.push({ kind: "puback", id });
      if (qos !== 2) continue;
      this.#unreleased.add(id);
      this.#owed.push({ kind: "pubrec", id });
    }
    for (const id of releases) {
      this.#unreleased.delete(id);
      this.#owed.push({ kind: "pubcomp", id });
    }
  }
}

/** Runs that must be among those that are tried. */
const begin: Step[] = [
  { kind: "connect", shard: 0, clean: false },
  { kind: "subscribe", topic: "a" },
];
const one: Step = { kind: "publish", shard: 1, topic: "a", qos: 2, expiryS: undefined };
const full: Step[] = [
  ...begin,
  { kind: "cut" },
  ...new Array<Step>(queueMessagesMax + 1).fill(one),
];
const released: Step[] = [...begin, one, { kind: "acknowledge", count: 1 }, { kind: "kill" }];

Deno.test("a kept session is what its model says, whatever happens to it", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const directory = await Deno.makeTempDir();
      const world = new World(directory);
      try {
        for (const step of steps) {
          await world.run(step);
          world.check();
        }
        await world.finish();
      } finally {
        world.close();
        await Deno.remove(directory, { recursive: true });
      }
    }),
    { numRuns: 40, examples: [[full], [released]] },
  );
});
