/**
 * One client's MQTT over WebSocket: its bytes go on to the shard that has the session, the shard's
 * bytes back, and neither way gathers more than it may.
 *
 * A WebSocket of Deno's cannot be left unread: what comes while the shard does not take it waits
 * here, up to a limit, and beyond that the connection is closed. It tells what it has not sent, so
 * the other way is real backpressure: the shard is not read from meanwhile.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { Connection } from "../endpoint/link.ts";

/** The part of a WebSocket that is used. */
export interface CarriedSocket {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
}

/** Why a carrier ended, as its counter names it. */
export type CarrierEnd = "client" | "session" | "text" | "flooded" | "closed";

export interface CarrierOptions {
  readonly clock: Clock;
  /** Takes bytes of what all clients may have waiting; false when there are none left. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
  /** How many bytes may wait for this client now. */
  readonly unsentBytesMax: () => number;
  readonly ended: (end: CarrierEnd) => void;
}

/** Of one client, before its session takes it. */
const waitingBytesMax = 4 * 1024 * 1024;
const readBytes = 8 * 1024;
/** How often to look whether the client has taken what was sent: soon at first, then less often. */
const lookMs = { first: 5, max: 250 };

/** Codes of RFC 6455, section 7.4.1. */
const closings: Readonly<Record<Exclude<CarrierEnd, "client">, readonly [number, string]>> = {
  session: [1000, ""],
  text: [1003, "MQTT comes in binary frames"], // [MQTT-6.0.0-1]
  flooded: [1009, "more came than the service takes now"],
  closed: [1001, "the service is shutting down"],
};

/** See the module. */
export class Carrier {
  readonly #socket: CarriedSocket;
  readonly #shard: Connection;
  readonly #options: CarrierOptions;
  /** From the client, for the shard. */
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  /** The client sends no more. */
  #clientGone = false;
  #ended = false;

  constructor(socket: CarriedSocket, shard: Connection, options: CarrierOptions) {
    this.#socket = socket;
    this.#shard = shard;
    this.#options = options;
  }

  /** Carries back what the session says, to its end. It says nothing before its client does. */
  start(): void {
    this.#carryBack().catch(() => {}).then(() =>
      this.#end(this.#clientGone ? "client" : "session")
    );
  }

  /** A frame of the client. It may hold a part of a packet, or several [MQTT-6.0.0-2]. */
  received(data: unknown): void {
    if (this.#ended) return;
    if (!(data instanceof ArrayBuffer)) return this.#end("text");
    const { byteLength } = data;
    if (byteLength === 0) return;
    const tooMuch = this.#waitingBytes + byteLength > waitingBytesMax;
    if (tooMuch || !this.#options.take(byteLength)) return this.#end("flooded");
    this.#waitingBytes += byteLength;
    this.#waiting.push(new Uint8Array(data));
    this.#carryOn();
  }

  /** The client is gone: what it said last still reaches its session. */
  closed(): void {
    if (this.#ended || this.#clientGone) return;
    this.#clientGone = true;
    this.#carryOn();
  }

  /** Ends at once. */
  close(): void {
    this.#end("closed");
  }

  #carryOn(): void {
    if (this.#writing || this.#ended) return;
    this.#writing = true;
    // A session that takes no more has still something to say, and then it ends.
    this.#writeAll().then(() => this.#writing = false, () => {});
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      for (let at = 0; at < bytes.length;) at += await this.#shard.write(bytes.subarray(at));
      if (this.#ended) return;
      this.#waitingBytes -= bytes.length;
      this.#options.give(bytes.length);
    }
    if (this.#clientGone) await this.#shard.closeWrite();
  }

  async #carryBack(): Promise<void> {
    const into = new Uint8Array(readBytes);
    for (;;) {
      const count = await this.#shard.read(into);
      if (count === null || this.#ended) return;
      if (this.#clientGone) continue;
      this.#socket.send(into.slice(0, count));
      await this.#taken();
    }
  }

  /** Resolves when little enough waits for the client. */
  async #taken(): Promise<void> {
    const { clock, unsentBytesMax } = this.#options;
    let ms = lookMs.first;
    while (!this.#clientGone && !this.#ended && this.#socket.bufferedAmount > unsentBytesMax()) {
      await new Promise<void>((resolve) => {
        clock.setTimer(ms, resolve);
      });
      ms = Math.min(2 * ms, lookMs.max);
    }
  }

  #end(end: CarrierEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.give(this.#waitingBytes);
    this.#waiting.length = 0;
    this.#shard.close();
    if (end !== "client") this.#socket.close(...closings[end]);
    this.#options.ended(end);
  }
}
