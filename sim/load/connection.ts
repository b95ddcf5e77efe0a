/**
 * One connection of `load` over its sockets: dials, writes what the publisher packs, feeds it what
 * comes back, and begins again after a break.
 *
 * @module
 */
import type { BufferPool } from "./buffer_pool.ts";
import type { LinkEnvironment, LoadLink } from "./link.ts";
import type { Credentials, Publisher } from "./publisher.ts";
import type { ConnectionSchedule } from "./schedule.ts";
import { Wake } from "./wake.ts";

/** What is needed of a socket; `Deno.Conn` has it. */
export interface Socket {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** What all connections of a run share. */
export interface ConnectionEnvironment extends LinkEnvironment {
  dial(): Promise<Socket>;
  readonly pool: BufferPool;
  readonly credentials: Credentials;
  readonly readBufferBytes: number;
}

/** How long the server may take to read what is left after DISCONNECT. */
const closeMs = 5_000;

export class LoadConnection implements LoadLink {
  readonly #publisher: Publisher;
  readonly #schedule: ConnectionSchedule;
  readonly #env: ConnectionEnvironment;
  readonly #wake = new Wake();
  readonly #ready = Promise.withResolvers<void>();
  #wroteMs = 0;
  #heardMs = 0;
  #hangUp: (() => void) | undefined;

  constructor(publisher: Publisher, schedule: ConnectionSchedule, env: ConnectionEnvironment) {
    this.#publisher = publisher;
    this.#schedule = schedule;
    this.#env = env;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get sent(): number {
    return this.#publisher.sent;
  }

  get connected(): boolean {
    return this.#publisher.connected;
  }

  kick(): void {
    this.#wake.kick();
  }

  /**
   * Sends PINGREQ when nothing was written for half the keep-alive time; hangs up when nothing was
   * heard for one and a half, for a server that says nothing at all is not there.
   */
  keepAlive(): void {
    const { keepAliveS, clock } = this.#env;
    if (keepAliveS === 0) return;
    const nowMs = clock.nowMs();
    if (nowMs - this.#heardMs > keepAliveS * 1_500) this.#hangUp?.();
    if (nowMs - this.#wroteMs < keepAliveS * 500) return;
    this.#publisher.ping();
    this.kick();
  }

  /** One socket from dialling to DISCONNECT. */
  async session(signal: AbortSignal): Promise<void> {
    const { keepAliveS, credentials } = this.#env;
    const connect = this.#publisher.connect(credentials, keepAliveS);
    const socket = new ClosingSocket(await this.#env.dial());
    const abort = () => {
      socket.close();
      this.kick();
    };
    let silent: Error | undefined;
    this.#heardMs = this.#env.clock.nowMs();
    this.#hangUp = () => {
      silent = new Error("the server says nothing");
      abort();
    };
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    const reading = this.#read(socket).then(() => undefined, (cause: unknown) => cause)
      .finally(abort);
    try {
      await writeAll(socket, connect);
      await this.#write(socket);
      await writeAll(socket, this.#publisher.disconnect());
      await socket.closeWrite();
      const late = new AbortController();
      await Promise.race([reading, this.#env.clock.sleep(closeMs, late.signal)]);
      late.abort();
    } catch (cause) {
      socket.close();
      // A failed write only says that the socket is gone; the reader may know why.
      const seen = await reading;
      throw silent ?? seen ?? cause;
    } finally {
      this.#hangUp = undefined;
      socket.close();
      signal.removeEventListener("abort", abort);
      await reading;
    }
  }

  async #write(socket: ClosingSocket): Promise<void> {
    const { clock, pool } = this.#env;
    const publisher = this.#publisher;
    while (!socket.closed) {
      const nowMs = clock.nowMs();
      if (publisher.inFlight === 0 && this.#schedule.finished(publisher.sent, nowMs)) return;
      const buffer = pool.take();
      try {
        const from = publisher.sent;
        const length = publisher.fill(buffer, nowMs);
        if (length > 0) {
          const to = publisher.sent;
          await writeAll(socket, buffer.subarray(0, length));
          this.#wroteMs = nowMs;
          publisher.written(from, to, nowMs);
          continue;
        }
      } finally {
        pool.give(buffer);
      }
      await this.#wake.next();
    }
    throw new Error("the connection was closed");
  }

  async #read(socket: ClosingSocket): Promise<void> {
    const buffer = new Uint8Array(this.#env.readBufferBytes);
    let kept = 0;
    for (;;) {
      const count = await socket.read(buffer.subarray(kept));
      if (count === null) return;
      this.#heardMs = this.#env.clock.nowMs();
      const end = kept + count;
      const used = this.#publisher.received(buffer, end, this.#env.clock.nowMs());
      if (used === 0 && end === buffer.length) {
        throw new RangeError("a packet of the server is too long");
      }
      buffer.copyWithin(0, used, end);
      kept = end - used;
      if (this.#publisher.connected) this.#ready.resolve();
      this.kick();
    }
  }
}

/** A socket that may be closed twice, since both directions may find it broken. */
class ClosingSocket {
  closed = false;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.closed ? Promise.resolve(null) : this.#socket.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.close();
  }
}

async function writeAll(socket: ClosingSocket, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += await socket.write(at === 0 ? bytes : bytes.subarray(at));
}
