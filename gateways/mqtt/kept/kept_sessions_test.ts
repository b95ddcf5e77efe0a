import assert from "node:assert/strict";
import { blankOffer } from "../../../actors/intake.ts";
import { readPacket } from "../codec/packet.ts";
import type { Publish, Qos } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { unlimited } from "../pubsub/client_limits.ts";
import type { Outbound } from "../pubsub/outbound.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import { ShardPair } from "../pubsub/testing/shard_pair.ts";
import type { ClaimRequest } from "./kept_lives.ts";
import { encodeWill } from "./will_record.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Shards over one file, which is removed at the end. */
async function withShards(run: (pair: ShardPair) => Promise<void>, bounds = {}): Promise<void> {
  const directory = await Deno.makeTempDir();
  const pair = new ShardPair(2, {
    kept: {
      file: `${directory}/sessions.db`,
      shards: 2,
      countMax: 3,
      queueMessagesMax: 20,
      queueBytesMax: 100_000,
      bytesMax: 1_000_000,
      failed: (cause) => {
        throw cause;
      },
      ...bounds,
    },
  });
  try {
    await run(pair);
  } finally {
    for (const shard of pair.shards) shard.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** A client and its connection to one shard. */
class Client {
  evicted: boolean | undefined;
  present = false;
  readonly #writer = new PacketWriter();
  #outbound: Outbound | undefined;

  static async connect(
    pair: ShardPair,
    pubsub: PubSub,
    request: Partial<ClaimRequest> = {},
  ): Promise<Client> {
    const client = new Client();
    const claim = pubsub.kept!.claim(
      {
        key: "k",
        account: "",
        clean: false,
        expiryS: 100,
        will: undefined,
        willDelayS: 0,
        ...request,
      },
      { evicted: (resumed) => client.evicted = resumed },
      undefined,
    );
    pair.carry();
    const result = await claim;

    assert.ok(result.kind === "attached");
    const { attachment } = result;
    client.present = attachment.present;
    const sink = { writer: client.#writer, waitingBytes: 0, flush() {} };
    client.#outbound = pubsub.open({ version: 5, sink, client: unlimited, kept: attachment });
    client.#outbound.pump();
    client.leave = (willLater = false, expiryS = 100) => {
      pubsub.forget(client.#outbound!);
      pubsub.kept!.detach(attachment, { expiryS, willLater });
      pubsub.flush();
      pair.carry();
    };
    client.subscribe = async (filter, qos) => {
      const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      const answer = pubsub.subscribe(client.#outbound!, {
        kind: "subscribe",
        packetId: 1,
        subscriptions: [{ filter, qos, ...options }],
        properties: {},
      });
      pair.carry();
      assert.deepEqual(await answer, [qos]);
      client.#outbound!.pump();
    };
    client.acknowledged = (kind, id) => {
      client.#outbound!.acknowledged(kind, id, 0);
      pubsub.flush();
    };
    return client;
  }

  leave: (willLater?: boolean, expiryS?: number) => void = () => {};
  subscribe: (filter: string, qos: Qos) => Promise<void> = async () => {};
  acknowledged: (kind: "puback" | "pubrec" | "pubcomp", id: number) => void = () => {};

  /** Takes what was written: PUBLISH packets, and identifiers of PUBRELs. */
  taken(): { readonly publishes: Publish[]; readonly releases: number[] } {
    const bytes = this.#writer.bytes.slice(0, this.#writer.length);
    this.#writer.length = 0;
    const publishes: Publish[] = [];
    const releases: number[] = [];
    for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]!) {
      const packet = readPacket(5, bytes[at]!, bytes, at + 2, at + 2 + bytes[at + 1]!);
      if (packet.kind === "publish") publishes.push(packet);
      else if (packet.kind === "pubrel") releases.push(packet.packetId);
    }
    return { publishes, releases };
  }

  payloads(): string[] {
    return this.taken().publishes.map(({ payload }) => text.decode(payload));
  }
}

function publish(pair: ShardPair, pubsub: PubSub, payload: string, qos: Qos, expiryS?: number) {
  const bytes = utf8.encode(`a${payload}`);
  const ranges = { topicEnd: 1, payloadStart: 1, payloadEnd: bytes.length };
  const properties = expiryS === undefined ? {} : { messageExpiryIntervalS: expiryS };
  pubsub.publish({ ...blankOffer(), bytes, ...ranges, flags: qos }, properties, undefined);
  assert.equal(pubsub.flush(), true);
  pair.carry();
}

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
    assert.deepEqual(publishes.map(({ payload }) => text.decode(payload)), ["1", "2", "3"]);
    const ids = publishes.map(({ packetId }) => packetId);
    first.acknowledged("pubrec", ids[0]!);
    assert.deepEqual(first.taken().releases, [ids[0]]);
    // It comes back elsewhere, while the old connection is still there.
    const second = await Client.connect(pair, there);
    assert.deepEqual([first.evicted, second.present], [true, true]);
    const again = second.taken();
    assert.deepEqual(again.releases, [ids[0]]);
    assert.deepEqual(
      again.publishes.map(({ packetId, dup, payload }) => [packetId, dup, text.decode(payload)]),
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
    assert.deepEqual([last?.dup, text.decode(last?.payload), more.length], [false, "4", 0]);
  }));

Deno.test("queues are bounded, and messages expire in them", () =>
  withShards(async (pair) => {
    const [here, there] = [pair.shards[0]!, pair.shards[1]!];
    const client = await Client.connect(pair, here);
    await client.subscribe("a", 1);
    client.leave();
    for (let i = 0; i < 25; i++) publish(pair, there, `${i}`, 1, i < 5 ? 10 : undefined);
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
      for (const { kept } of pair.shards) kept!.sweep(({ topic }, key) => sent.push(topic + key));
    };
    const request = { will, willDelayS: 5 };
    (await Client.connect(pair, pair.shards[0]!, request)).leave(true);
    pair.clock.advance(4_000);
    sweep();
    const back = await Client.connect(pair, pair.shards[1]!, request);
    pair.clock.advance(10_000);
    sweep();
    assert.deepEqual(sent, []);
    back.leave(true);
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

Deno.test("sessions are bounded; one that ends makes room", () =>
  withShards(async (pair) => {
    const [here] = pair.shards;
    for (const key of ["x", "y", "z"]) await Client.connect(pair, here!, { key });
    const request = { key: "v", account: "", clean: false, expiryS: 9, will: undefined };
    const host = { evicted() {} };
    const result = await here!.kept!.claim({ ...request, willDelayS: 0 }, host, undefined);
    assert.equal(result.kind, "refused");
    const discarded = here!.kept!.discard("x");
    pair.carry();
    assert.equal((await discarded).kind, "discarded");
    assert.equal((await Client.connect(pair, here!, { key: "v" })).present, false);
  }));
