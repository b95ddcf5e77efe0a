/**
 * Endpoints over shards that die, and clients of theirs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodePacket, type Packet } from "../../codec/packet.ts";
import { noProperties } from "../../codec/properties.ts";
import type { Publish } from "../../codec/publish.ts";
import type { Subscription } from "../../codec/subscribe.ts";
import {
  connectOf,
  type MemoryConnection,
  publishOf,
  SessionHarness,
  settle,
  testLimits,
} from "../../endpoint/testing.ts";
import type { ShardPair } from "../../pubsub/testing/shard_pair.ts";
import { payloadOf, withShards } from "../testing.ts";

const version = 5;
const utf8 = new TextEncoder();

/** Shards whose mail is carried until nothing is left to do. */
export class World {
  readonly #pair: ShardPair;
  readonly #endpoints: SessionHarness[];

  constructor(pair: ShardPair) {
    this.#pair = pair;
    this.#endpoints = pair.shards.map((_, shard) => this.#endpoint(shard));
  }

  /** What the shard has taken and not settled is never settled. */
  async say(client: MemoryConnection, ...packets: readonly Packet[]): Promise<Packet[]> {
    client.feed(...packets.map((packet) => encodePacket(packet, version)));
    for (let round = 0; round < 3; round++) {
      await settle();
      this.#pair.carry();
    }
    return client.sent(version);
  }

  /** Carries nothing of what comes of it. */
  async sayOnly(client: MemoryConnection, packet: Packet): Promise<void> {
    client.feed(encodePacket(packet, version));
    await settle();
  }

  async connect(shard: number, clientId: string, kept: boolean): Promise<MemoryConnection> {
    const [connection] = await this.#connect(shard, clientId, kept);
    return connection;
  }

  /** A client that has a kept session is back: gives what came at once. */
  async back(shard: number, clientId: string): Promise<[MemoryConnection, Publish[]]> {
    const [connection, packets] = await this.#connect(shard, clientId, true);
    return [connection, packets.filter((packet) => packet.kind === "publish")];
  }

  async subscriber(
    shard: number,
    id: string,
    more: Partial<Subscription> = {},
    kept = false,
  ): Promise<MemoryConnection> {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = [{ filter: "t", qos: 2, ...options, ...more } as const];
    const connection = await this.connect(shard, id, kept);
    const subscribe = { kind: "subscribe", packetId: 1, subscriptions, properties: {} } as const;
    const [suback] = await this.say(connection, subscribe);
    assert.equal(suback?.kind, "suback");
    return connection;
  }

  /** Mail between shards that is taken before links are full. */
  set credit(count: number) {
    this.#pair.credit = count;
  }

  /** What came for a subscriber since. */
  async heard(client: MemoryConnection): Promise<string[]> {
    return (await this.publishes(client)).map(payloadOf);
  }

  async publishes(client: MemoryConnection): Promise<Publish[]> {
    return (await this.say(client)).filter((packet) => packet.kind === "publish");
  }

  /** The shard dies when it has written what is said to it, told others of it or not. */
  async dieWith(client: MemoryConnection, packet: Packet, told: boolean): Promise<void> {
    if (!told) this.#pair.credit = 0;
    assert.deepEqual(await this.say(client, packet), [], "not acknowledged");
    this.#pair.credit = Infinity;
    this.restart(0);
  }

  restart(shard: number): void {
    this.#pair.restart(shard);
    this.#endpoints[shard] = this.#endpoint(shard);
  }

  /** Acknowledges what was published last. */
  async settle(shard: number, client: MemoryConnection): Promise<Packet[]> {
    const { intake } = this.#endpoints[shard]!;
    intake.settle([intake.taken.length - 1]);
    return await this.say(client);
  }

  get repeated(): number {
    return this.#pair.shards.reduce((sum, { stats }) => sum + stats.repeated, 0);
  }

  async #connect(
    shard: number,
    clientId: string,
    kept: boolean,
  ): Promise<[MemoryConnection, Packet[]]> {
    const { connection } = this.#endpoints[shard]!.open();
    const properties = kept ? { sessionExpiryIntervalS: 600 } : noProperties;
    const connect = connectOf({ version, clientId, clean: !kept, properties });
    const [connack, ...more] = await this.say(connection, connect);
    assert.equal(connack?.kind, "connack");
    return [connection, more];
  }

  #endpoint(shard: number): SessionHarness {
    const limits = { ...testLimits, sessionExpiryMaxS: 600 };
    return new SessionHarness({ messages: this.#pair.shards[shard]!, limits });
  }
}

/** What a publisher with a kept session sends to everybody. */
export const message = (payload: string, dup = false, retain = false): Packet =>
  publishOf({ topic: "t", payload: utf8.encode(payload), qos: 2, packetId: 9, dup, retain });
export const pubrel: Packet = {
  kind: "pubrel",
  packetId: 9,
  reasonCode: 0,
  properties: noProperties,
};

export const inWorld = (
  run: (world: World, pair: ShardPair) => Promise<void>,
  shards = 2,
): Promise<void> => withShards((pair) => run(new World(pair), pair), undefined, {}, shards);
