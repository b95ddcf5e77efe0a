/**
 * What a session costs per QoS 1 message from bytes read to bytes written: scanning, the offer to
 * an intake that settles at once, the window, the PUBACK. Sockets are left out.
 *
 * Deno 2.9.6, one of two shared cores: 45 µs for 500 messages (p75), 0.09 µs each.
 *
 * @module
 */
import type { Intake, Offer, OfferResult, Origin } from "../../../actors/intake.ts";
import { encodePacket } from "../codec/packet.ts";
import { writePublish } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import { openToAll } from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import type { Connection } from "./link.ts";
import { Session } from "./session.ts";
import { type SessionMessage, SessionShared } from "./session_shared.ts";
import { connectOf, publishOf, testLimits } from "./testing.ts";

const count = 500;

/** Gives one chunk per read when asked, and says when as many bytes were written. */
class LoopConnection implements Connection {
  #answer: ((count: number) => void) | undefined;
  #into: Uint8Array = new Uint8Array(0);
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #expectedBytes = 0;
  #done: (() => void) | undefined;

  /** Resolves when `expectedBytes` were written in answer to `chunk`. */
  exchange(chunk: Uint8Array, expectedBytes: number): Promise<void> {
    this.#chunk = chunk;
    this.#at = 0;
    this.#expectedBytes = expectedBytes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#done = resolve;
    this.#give();
    return promise;
  }

  read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#into = into;
    this.#answer = resolve;
    this.#give();
    return promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.#expectedBytes -= bytes.length;
    if (this.#expectedBytes === 0) this.#done?.();
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}

  #give(): void {
    const part = this.#chunk.subarray(this.#at, this.#at + this.#into.length);
    if (this.#answer === undefined || part.length === 0) return;
    this.#into.set(part);
    this.#at += part.length;
    this.#answer(part.length);
    this.#answer = undefined;
  }
}

/** Settles in one run what was offered before a flush. */
class PromptIntake implements Intake {
  readonly #sequences: number[] = [];
  #origin: Origin | undefined;

  offer(origin: Origin, { sequence }: Offer): OfferResult {
    this.#origin = origin;
    this.#sequences.push(sequence);
    return "accepted";
  }

  flush(): boolean {
    const origin = this.#origin;
    for (const sequence of this.#sequences) origin?.settled(sequence, undefined);
    this.#sequences.length = 0;
    origin?.settledEnd();
    return true;
  }

  deny(): void {}

  forget(): void {}
}

const payload = new Uint8Array(91).fill(0x61);
const writer = new PacketWriter();
for (let packetId = 1; packetId <= count; packetId++) {
  writePublish(writer, publishOf({ packetId, payload }), 4);
}
const chunk = writer.bytes.slice(0, writer.length);

const connection = new LoopConnection();
const shared = new SessionShared<Session>(
  {
    intake: new PromptIntake(),
    limits: { ...testLimits, receiveMaximum: 1_024 },
    authenticate: openToAll,
    messages: memoryPubSub(systemClock).pubsub,
    stats: new EndpointStats(),
    events: {},
  },
  systemClock,
  () => {},
);
new ActorSystem().spawn<SessionMessage>({
  id: "session",
  start: (context) =>
    new Session({ connection, peer: "bench", transport: "mqtt" }, shared, context),
});
await connection.exchange(encodePacket(connectOf({}), 4), 4);

Deno.bench(`session: ${count} QoS 1 messages of 91 bytes, acknowledged`, async () => {
  await connection.exchange(chunk, 4 * count);
});
