import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../runtime/clock.ts";
import { noProperties } from "../codec/properties.ts";
import type { Publish, Qos } from "../codec/publish.ts";
import { HandOver } from "./hand_over.ts";
import { Message } from "./message.ts";
import { PubSubStats } from "./pubsub_stats.ts";
import type { Unfinished } from "./shared_hold.ts";
import { Client, publish } from "./testing/memory_client.ts";
import { ShardPair } from "./testing/shard_pair.ts";

const shards = 3;
const text = new TextDecoder();
const filter = "$share/g/t";

type Step =
  | { readonly kind: "join"; readonly shard: number; readonly window: number; readonly qos: Qos }
  | { readonly kind: "publish"; readonly shard: number; readonly qos: Qos }
  | { readonly kind: "ack" | "leave" | "stall"; readonly who: number };

const shard = fc.nat(shards - 1);
const qos = fc.constantFrom<Qos>(0, 1, 2);
const who = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("join"),
    shard,
    window: fc.integer({ min: 1, max: 3 }),
    qos: fc.constantFrom<Qos>(1, 2),
  }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("publish"), shard, qos }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("ack", "leave", "stall"), who }) },
);

interface Member {
  readonly shard: number;
  readonly client: Client;
  stalled: boolean;
  /** What it has and has not acknowledged. */
  readonly open: Publish[];
}

const leftOf = (topic: string): Unfinished => ({
  message: new Message({
    topic,
    payload: new Uint8Array(1),
    qos: 1,
    retain: false,
    properties: noProperties,
    expiresMs: Infinity,
  }),
  share: { name: filter, mark: undefined, turn: 0 },
});

const payloadOf = ({ payload }: Publish) => text.decode(payload);

class Group {
  readonly #pair = new ShardPair(shards);
  #members: Member[] = [];
  #published = 0;
  /** Payloads that are through: acknowledged, or sent with another QoS than 1. */
  readonly #through = new Set<string>();

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "join": {
        const client = new Client(this.#pair.shards[step.shard]!, step.window);
        const answer = client.subscribe(filter, { qos: step.qos });
        this.#pair.carry();
        await answer;
        this.#members.push({ shard: step.shard, client, stalled: false, open: [] });
        break;
      }
      case "publish": {
        const payload = `${this.#published}`;
        if (publish(this.#pair.shards[step.shard]!, "t", payload, { qos: step.qos })) {
          this.#published++;
        }
        break;
      }
      case "ack":
        this.#acknowledge(this.#members[step.who]);
        break;
      case "leave":
        this.#leave(step.who);
        break;
      case "stall": {
        const member = this.#members[step.who];
        if (member !== undefined) member.client.stalled = member.stalled = !member.stalled;
        break;
      }
      default:
        step satisfies never;
    }
    this.#listen();
  }

  /** Everybody takes all; then each message is through or counted as lost. */
  end(): void {
    for (const member of this.#members) member.client.stalled = member.stalled = false;
    this.#listen();
    while (this.#members.some(({ open }) => open.length > 0)) {
      for (const member of this.#members) this.#acknowledge(member);
      this.#listen();
    }
    let lost = 0;
    for (const { stats } of this.#pair.shards) {
      for (const count of Object.values(stats.lost)) lost += count;
      assert.deepEqual([stats.queuedMessages, stats.queuedBytes], [0, 0]);
    }
    assert.equal(this.#through.size + lost, this.#published);
  }

  #leave(who: number): void {
    const [gone] = this.#members.splice(who, 1);
    if (gone === undefined) return;
    this.#pair.shards[gone.shard]!.forget(gone.client.outbound);
  }

  #acknowledge(member: Member | undefined): void {
    const packet = member?.open.shift();
    if (member === undefined || packet === undefined) return;
    const { qos, packetId } = packet;
    const kinds = qos === 1 ? ["puback"] as const : ["pubrec", "pubcomp"] as const;
    for (const kind of kinds) member.client.outbound.acknowledged(kind, packetId, 0);
    this.#through.add(payloadOf(packet));
  }

  #listen(): void {
    this.#pair.carry();
    for (const member of this.#members) {
      for (const packet of member.client.packets()) {
        const payload = payloadOf(packet);
        assert.ok(!this.#through.has(payload), `${payload} came again`);
        const others = this.#members.filter(({ open }) => open.map(payloadOf).includes(payload));
        assert.equal(others.length, 0, `${payload} came to two`);
        if (packet.qos > 0) member.open.push(packet);
        // Whatever becomes of its member, nobody stands in for it now [MQTT-4.8.2-5].
        if (packet.qos !== 1) this.#through.add(payload);
      }
    }
  }
}

// Shows 5: 4.8.2-5.
Deno.test("members come, are slow and go: each message is with one of them, or counted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const group = new Group();
      for (const shard of [0, 1]) await group.run({ kind: "join", shard, window: 2, qos: 2 });
      for (const step of steps) await group.run(step);
      group.end();
    }),
    { numRuns: 150 },
  );
});

Deno.test("a member goes: QoS 1 and what it was not sent yet goes on, in another shard too, in order", async () => {
  for (const where of [0, 1]) {
    const pair = new ShardPair();
    const [here] = pair.shards;
    const gone = new Client(here!, 2);
    gone.subscribe(filter);
    for (const [i, qos] of ([1, 2, 1, 0, 2] as const).entries()) {
      publish(here!, "t", `${i}`, { qos });
    }
    assert.deepEqual(gone.payloads(), ["0", "1"]);
    const other = new Client(pair.shards[where]!);
    const answer = other.subscribe(filter);
    pair.carry();
    await answer;
    here!.forget(gone.outbound);
    pair.carry();
    assert.deepEqual(other.packets().map(payloadOf), ["0", "2", "3", "4"]);
    assert.equal(here!.stats.handedOver, 4);
    assert.equal(here!.stats.lost.no_member, 0);
  }
});

Deno.test("much is handed over a little at a time, and counts as waiting until then", () => {
  const queue = { countMax: 1_000, bytesMax: 1_000_000, sharedBytesMax: 10_000_000 };
  for (const closes of [false, true]) {
    const pair = new ShardPair(1, { queue });
    const [here] = pair.shards;
    const [gone, other] = [new Client(here!, 1), new Client(here!, 1_000)];
    gone.subscribe(filter);
    for (let i = 0; i < 600; i++) publish(here!, "t", `${i}`, { qos: 1 });
    const { queuedBytes: waiting } = here!.stats;
    other.subscribe(filter);
    here!.forget(gone.outbound);
    const first = other.payloads();
    assert.ok(first.length > 0 && first.length < 600, `${first.length}`);
    assert.equal(here!.stats.queuedMessages, 600 - first.length);
    assert.equal(here!.stats.queuedBytes, waiting);
    if (closes) here!.close();
    else for (let turn = 0; turn < 2; turn++) pair.clock.advance(0);
    const all = [...first, ...other.payloads()];
    assert.deepEqual(all, Array.from({ length: 600 }, (_, i) => `${i}`));
    assert.deepEqual([here!.stats.queuedMessages, here!.stats.handedOver], [0, 600]);
  }
});

Deno.test("many members go while another one's is passed on: what they leave goes on together", () => {
  const clock = new ManualClock();
  const stats = new PubSubStats();
  const passed: string[][] = [];
  const pass = (some: readonly Unfinished[]) => {
    passed.push(some.map(({ message }) => message.topic));
  };
  const handOver = new HandOver({ clock, stats, queue: { sharedBytesMax: 1_000 }, pass });
  const topics = Array.from({ length: 600 }, (_, i) => `${i}`);
  handOver.add(topics.slice(0, 300).map(leftOf));
  for (const topic of topics.slice(300)) handOver.add([leftOf(topic)]);
  assert.deepEqual([passed.length, stats.queuedMessages], [1, 344]);
  clock.advance(0);
  assert.deepEqual(passed.flat(), topics);
  assert.deepEqual(passed.map(({ length }) => length), [256, 256, 88]);
  assert.deepEqual([stats.queuedMessages, stats.queuedBytes, clock.pending], [0, 0, 0]);
});

Deno.test("kept sessions leave more than there is room for: what is beyond is counted, the rest goes on later", () => {
  const clock = new ManualClock();
  const stats = new PubSubStats();
  const passed: string[] = [];
  const pass = (some: readonly Unfinished[]) => {
    passed.push(...some.map(({ message }) => message.topic));
  };
  const handOver = new HandOver({ clock, stats, queue: { sharedBytesMax: 1_000 }, pass });
  for (const topics of [["1", "2", "3"], ["4"]]) handOver.left(topics.map(leftOf));
  assert.deepEqual([passed, stats.queuedMessages, stats.lost.session_over], [[], 2, 2]);
  clock.advance(0);
  assert.deepEqual([passed, stats.queuedMessages, clock.pending], [["1", "2"], 0, 0]);
});

Deno.test("what it acknowledged or refused goes to no other; without another one it is counted", () => {
  const pair = new ShardPair(1);
  const [here] = pair.shards;
  const [gone, other] = [new Client(here!), new Client(here!)];
  gone.subscribe(filter);
  for (let i = 0; i < 4; i++) publish(here!, "t", `${i}`, { qos: 1 });
  const [taken, refused] = gone.packets();
  gone.outbound.acknowledged("puback", taken!.packetId, 0);
  gone.outbound.acknowledged("puback", refused!.packetId, 0x83); // [MQTT-4.8.2-6]
  other.subscribe(filter);
  here!.forget(gone.outbound);
  assert.deepEqual(other.payloads(), ["2", "3"]);
  here!.forget(other.outbound);
  assert.deepEqual([here!.stats.handedOver, here!.stats.lost.no_member], [2, 2]);
});
