/** Members of a shared subscription against a model, while publisher, members and shards come and go. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Publish } from "../codec/publish.ts";
import type { MemoryConnection } from "../endpoint/testing.ts";
import { inWorld, message, pubrel, type World } from "./testing/resend_world.ts";
import { payloadOf } from "./testing.ts";

const shards = 3;
const shard = fc.nat({ max: shards - 1 });
const filter = "$share/g/t";

type Step =
  | { readonly kind: "join" | "join kept" | "kill"; readonly shard: number }
  | { readonly kind: "leave" }
  /**
   * By a publisher at a shard, after so much mail of which it dies, and others after it. `leaves`: so
   * does a member, before any of the mail is there.
   */
  | {
    readonly kind: "publish";
    readonly shard: number;
    readonly credit: number;
    readonly leaves: boolean;
    readonly next: readonly number[];
  };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom("join", "join kept", "kill"), shard }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave") }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("publish"),
        shard,
        credit: fc.constantFrom(0, 1, 2, 100),
        leaves: fc.boolean(),
        next: fc.array(shard, { maxLength: 3 }),
      }),
    },
  ),
  { minLength: 3, maxLength: 12 },
);

/** Of all sessions so many may be kept, with the publisher's. */
const keptMax = 2;

interface Member {
  readonly id: string;
  readonly kept: boolean;
  shard: number;
  client: MemoryConnection;
  /** By packet identifier: what is kept is sent again to who is back, and none acknowledges. */
  readonly heard: Map<number, string>;
}

class Group {
  readonly #world: World;
  readonly #qos: 1 | 2;
  #members: Member[] = [];
  /** All that there ever were. */
  readonly #all: Member[] = [];
  #joined = 0;
  #published = 0;

  constructor(world: World, qos: 1 | 2) {
    this.#world = world;
    this.#qos = qos;
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "join":
        return await this.join(step.shard);
      case "join kept":
        if (this.#members.filter(({ kept }) => kept).length === keptMax) return;
        return await this.join(step.shard, true);
      case "kill":
        return await this.#kill(step.shard);
      case "leave":
        return await this.#leave();
      case "publish":
        return await this.#publish(step);
      default:
        return step satisfies never;
    }
  }

  async join(shard: number, kept = false): Promise<void> {
    const id = `member ${this.#joined++}`;
    const client = await this.#world.subscriber(shard, id, { filter, qos: this.#qos }, kept);
    const member = { id, kept, shard, client, heard: new Map<number, string>() };
    this.#members.push(member);
    this.#all.push(member);
  }

  async #leave(): Promise<void> {
    const leaving = this.#members.findLast(({ kept }) => !kept);
    if (leaving === undefined) return;
    await this.#listen();
    this.#members = this.#members.filter((member) => member !== leaving);
    const disconnect = { kind: "disconnect", reasonCode: 0, properties: {} } as const;
    await this.#world.say(leaving.client, disconnect);
  }

  async #publish(
    { shard, credit, leaves, next }: Step & { readonly kind: "publish" },
  ): Promise<void> {
    const payload = `${this.#published++}`;
    let publisher = await this.#world.connect(shard, "publisher", true);
    let at = shard;
    for (const [again, to] of [...next, undefined].entries()) {
      this.#world.credit = to === undefined ? Infinity : credit;
      await this.#world.sayOnly(publisher, message(payload, again > 0));
      if (leaves && again === 0) await this.#leave();
      await this.#world.say(publisher);
      this.#world.credit = Infinity;
      if (to === undefined) break;
      await this.#kill(at);
      publisher = await this.#world.connect(to, "publisher", true);
      at = to;
    }
    await this.#listen();
    const timesOf = ({ heard }: Member) =>
      [...heard.values()].filter((one) => one === payload).length;
    const ever = this.#all.map(timesOf);
    assert.ok(ever.every((count) => count <= 1), `${payload} came to one more than once`);
    // Nobody stands in with QoS 2 for one that had it, though its session is over [MQTT-4.8.2-5].
    const had = ever.reduce((sum, count) => sum + count, 0);
    if (this.#qos === 2) assert.ok(had <= 1, `${payload} came to ${had}`);
    const owed = this.#qos === 1 || (next.length === 0 && !leaves);
    if (owed && this.#members.length > 0) {
      assert.ok(this.#members.some((member) => timesOf(member) > 0), `${payload} came to nobody`);
    }
    await this.#world.settle(at, publisher);
    await this.#world.say(publisher, pubrel);
  }

  async #kill(shard: number): Promise<void> {
    await this.#listen();
    this.#members = this.#members.filter((member) => member.kept || member.shard !== shard);
    this.#world.restart(shard);
    for (const member of this.#members) {
      if (member.shard !== shard) continue;
      member.shard = (shard + 1) % shards;
      const [client, packets] = await this.#world.back(member.shard, member.id);
      member.client = client;
      this.#hears(member, packets);
    }
  }

  async #listen(): Promise<void> {
    for (const member of this.#members) {
      this.#hears(member, await this.#world.publishes(member.client));
    }
  }

  #hears({ heard }: Member, packets: readonly Publish[]): void {
    for (const packet of packets) {
      const { packetId, dup } = packet;
      assert.ok(dup || !heard.has(packetId));
      heard.set(packetId, payloadOf(packet));
    }
  }
}

Deno.test("a shared message reaches one member, and none twice, whichever shards die", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(1, 2), steps, (qos, steps) =>
      inWorld(async (world) => {
        const group = new Group(world, qos);
        for (const shard of [1, 2]) await group.join(shard);
        for (const step of steps) await group.run(step);
      }, shards)),
    {
      numRuns: 25,
      // Passed on by two shards one after the other, each the only one that chooses.
      examples: [
        [1, [{ kind: "publish", shard: 0, credit: 100, leaves: false, next: [1, 1, 0] }]],
        // Passed on into a kept member's queue by a shard that dies, too.
        [1, [
          { kind: "leave" },
          { kind: "join kept", shard: 0 },
          { kind: "publish", shard: 0, credit: 0, leaves: true, next: [1, 0] },
        ]],
        // A member had it, and dies with its shard behind the publisher's.
        [2, [{ kind: "publish", shard: 0, credit: 100, leaves: false, next: [1, 2] }]],
      ],
    },
  );
});
