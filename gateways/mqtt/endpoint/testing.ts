/**
 * What the endpoint's tests stand on: a connection in memory, an intake that does as it is told, and
 * a session between them.
 *
 * @module
 */
import type { Intake, Offer, OfferResult, Origin, Rejection } from "../../../actors/intake.ts";
import type { ActorRef } from "../../../runtime/actor.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import type { Connect } from "../codec/connect.ts";
import { encodePacket, type Packet } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import type { Properties } from "../codec/property_table.ts";
import type { Publish } from "../codec/publish.ts";
import { packetsOf } from "../codec/testing/packets_of.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import { type EndpointLimits, type EndpointServices, openToAll } from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import type { Connection } from "./link.ts";
import { Session } from "./session.ts";
import type { SessionEnd } from "./session_end.ts";
import { type SessionMessage, SessionShared } from "./session_shared.ts";

export const testLimits: EndpointLimits = {
  connectionsMax: 100,
  connectTimeoutMs: 10_000,
  keepAliveMaxS: 3_600,
  sessionExpiryMaxS: 0,
  receiveMaximum: 4,
  qos2Max: 65_535,
  packetBytesMax: 100_000,
  readBytesMax: 1 << 20,
  writeStallMs: 30_000,
  drainMs: 5_000,
};

/** Lets promises and actors run until nothing is left to do at once. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await eventLoopTurn();
}

/** The server's end of a connection whose other end is the test. */
export class MemoryConnection implements Connection {
  closed = false;
  halfClosed = false;
  /** Writes wait while this is set. */
  #writable = Promise.withResolvers<void>();
  #incoming: Uint8Array[] = [];
  #ended = false;
  #reader:
    | { into: Uint8Array; answer: (count: number | null) => void; fail: (error: Error) => void }
    | undefined;
  #written: number[] = [];
  writes = 0;

  constructor() {
    this.#writable.resolve();
  }

  get reading(): boolean {
    return this.#reader !== undefined;
  }

  feed(...parts: readonly Uint8Array[]): void {
    this.#incoming.push(...parts.map((part) => part.slice()));
    this.#answer();
  }

  end(): void {
    this.#ended = true;
    this.#answer();
  }

  blockWrites(): void {
    this.#writable.resolve();
    this.#writable = Promise.withResolvers<void>();
  }

  unblockWrites(): void {
    this.#writable.resolve();
  }

  /** Takes the packets that were written since the last call, without their reason strings. */
  sent(version: ProtocolVersion): Packet[] {
    return this.sentWithReasons(version).map((packet) =>
      "properties" in packet && packet.kind !== "connect" && "reasonString" in packet.properties
        ? withoutReason(packet)
        : packet
    );
  }

  /** Takes the bytes that were written since the last call. */
  sentBytes(): Uint8Array {
    const bytes = Uint8Array.from(this.#written);
    this.#written = [];
    return bytes;
  }

  sentWithReasons(version: ProtocolVersion): Packet[] {
    return packetsOf(version, this.sentBytes());
  }

  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (this.#reader !== undefined) throw new Error("two reads at once");
    return new Promise((answer, fail) => {
      this.#reader = { into, answer, fail };
      this.#answer();
    });
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#writable.promise;
    if (this.closed) throw new Error("closed");
    this.writes++;
    const count = Math.min(bytes.length, 1_000);
    this.#written.push(...bytes.subarray(0, count));
    return count;
  }

  closeWrite(): Promise<void> {
    this.halfClosed = true;
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) throw new Error("closed twice");
    this.closed = true;
    this.#writable.resolve();
    this.#reader?.fail(new Error("closed"));
    this.#reader = undefined;
  }

  #answer(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const part = this.#incoming[0];
    if (part === undefined) {
      if (!this.#ended) return;
      this.#reader = undefined;
      return reader.answer(null);
    }
    const count = Math.min(part.length, reader.into.length);
    reader.into.set(part.subarray(0, count));
    if (count === part.length) this.#incoming.shift();
    else this.#incoming[0] = part.subarray(count);
    this.#reader = undefined;
    reader.answer(count);
  }
}

function withoutReason<P extends { readonly properties: Properties }>(packet: P): P {
  const { reasonString: _reason, ...properties } = packet.properties;
  return { ...packet, properties };
}

export interface TakenReading {
  readonly origin: Origin;
  readonly sequence: number;
  readonly topic: string;
  readonly payload: string;
  readonly flags: number;
  readonly packetId: number;
}

const utf8 = new TextDecoder();

/** Takes readings while there is credit, and settles them when told. */
export class FakeIntake implements Intake {
  readonly taken: TakenReading[] = [];
  credit = Infinity;
  refuse: Rejection | undefined;
  flushes = 0;
  readonly #waiting = new Set<Origin>();
  readonly forgotten = new Set<Origin>();

  offer(origin: Origin, offer: Offer): OfferResult {
    if (this.refuse !== undefined) return this.refuse;
    if (this.taken.length >= this.credit) {
      this.#waiting.add(origin);
      return "full";
    }
    const { bytes, sequence, flags, packetId } = offer;
    const topic = utf8.decode(bytes.subarray(offer.topicStart, offer.topicEnd));
    const payload = utf8.decode(bytes.subarray(offer.payloadStart, offer.payloadEnd));
    this.taken.push({ origin, sequence, topic, payload, flags, packetId });
    return "accepted";
  }

  readonly denied: Rejection[] = [];

  deny(_origin: Origin, _offer: Offer, rejection: Rejection): void {
    this.denied.push(rejection);
  }

  flush(): boolean {
    this.flushes++;
    return true;
  }

  forget(origin: Origin): void {
    this.forgotten.add(origin);
    this.#waiting.delete(origin);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  grant(credit: number): void {
    this.credit = credit;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const origin of waiting) origin.resume();
  }

  /** Settles the readings at these places of `taken`, as one run. */
  settle(places: readonly number[], rejection?: Rejection): void {
    for (const place of places) {
      const { origin, sequence } = this.taken[place]!;
      origin.settled(sequence, rejection);
    }
    this.taken[places[0]!]?.origin.settledEnd();
  }
}

export interface EndedConnection {
  readonly clientId: string | undefined;
  readonly end: SessionEnd;
  readonly detail: string | undefined;
}

/** Sessions over connections in memory. */
export class SessionHarness {
  readonly clock = new ManualClock();
  readonly intake = new FakeIntake();
  readonly exchange: ReturnType<typeof memoryPubSub>;
  readonly stats = new EndpointStats();
  readonly ended: EndedConnection[] = [];
  readonly system: ActorSystem;
  readonly services: EndpointServices;
  readonly shared: SessionShared<Session>;
  closedLinks = 0;
  #count = 0;

  constructor(
    overrides: Partial<EndpointServices> = {},
    exchange: Parameters<typeof memoryPubSub>[1] = {},
  ) {
    this.exchange = memoryPubSub(this.clock, exchange);
    this.services = {
      intake: this.intake,
      limits: testLimits,
      authenticate: openToAll,
      assignId: () => `assigned-${this.#count}`,
      messages: this.exchange.pubsub,
      stats: this.stats,
      events: {
        ended: (_peer, clientId, { end, detail }) => this.ended.push({ clientId, end, detail }),
      },
      ...overrides,
    };
    this.system = new ActorSystem({ clock: this.clock });
    this.shared = new SessionShared(this.services, this.clock, () => this.closedLinks++);
  }

  open(): { readonly connection: MemoryConnection; readonly ref: ActorRef<SessionMessage> } {
    const connection = new MemoryConnection();
    const ref = this.system.spawn<SessionMessage>({
      id: `session ${++this.#count}`,
      restart: "temporary",
      start: (context) =>
        new Session({ connection, peer: "peer", transport: "mqtt" }, this.shared, context),
    });
    return { connection, ref };
  }

  /** A client that is connected; its CONNACK is taken. */
  async connected(connect: Partial<Connect> = {}): Promise<MemoryConnection> {
    const packet = connectOf(connect);
    const { connection } = this.open();
    connection.feed(encodePacket(packet, packet.version));
    await settle();
    connection.sent(packet.version);
    return connection;
  }

  async sweepAfter(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (const session of this.shared.registry.values()) session.sweep(this.clock.monotonic());
    const { kept } = this.exchange.pubsub;
    kept?.sweep((will, key) => this.shared.wills.publish(will, key, true));
    await settle();
  }
}

export function connectOf(connect: Partial<Connect>): Connect {
  return {
    kind: "connect",
    version: 4,
    clean: true,
    keepAliveS: 60,
    clientId: "dev",
    properties: noProperties,
    ...connect,
  };
}

export function publishOf(publish: Partial<Publish>): Publish {
  return {
    kind: "publish",
    topic: "device/1",
    payload: new TextEncoder().encode("{}"),
    qos: 1,
    dup: false,
    retain: false,
    packetId: publish.qos === 0 ? 0 : 1,
    properties: noProperties,
    ...publish,
  };
}
