/**
 * One connection of `load` over its sockets: dials, writes what the publisher packs, feeds it what
 * comes back, and begins again after a break.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import type { Random } from "../random.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { LoadBook } from "./load_book.ts";
import type { Credentials, Publisher } from "./publisher.ts";
import { Refused } from "./refused.ts";
import type { ConnectionSchedule } from "./schedule.ts";

/** What is needed of a socket; `Deno.Conn` has it. */
export interface Socket {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** What all connections of a run share. */
export interface ConnectionEnvironment {
  dial(): Promise<Socket>;
  readonly clock: SimClock;
  readonly pool: BufferPool;
  readonly book: LoadBook;
  readonly credentials: Credentials;
  readonly keepAliveS: number;
  /** A connection that cannot be made for so long ends the run. */
  readonly giveUpMs: number;
  readonly readBufferBytes: number;
}

const backoffMinMs = 50;
const backoffMaxMs = 1_000;
/** How long the server may take to read what is left after DISCONNECT. */
const closeMs = 5_000;

export class LoadConnection {
  /** Resolves when the server first says yes. */
  readonly ready: Promise<void>;
  readonly #publisher: Publisher;
  readonly #schedule: ConnectionSchedule;
  readonly #env: ConnectionEnvironment;
  readonly #random: Random;
  #resolveReady: () => void = () => {};
  #wake: (() => void) | undefined;
  #wroteMs = 0;
  #heardMs = 0;
  #hangUp: (() => void) | undefined;

  constructor(
    publisher: Publisher,
    schedule: ConnectionSchedule,
    env: ConnectionEnvironment,
    random: Random,
  ) {
    this.#publisher = publisher;
    this.#schedule = schedule;
    this.#env = env;
    this.#random = random;
    this.ready = new Promise((resolve) => this.#resolveReady = resolve);
  }

  /** Something may be due. */
  kick(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
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

  /**
   * Resolves when every message of the schedule was sent and acknowledged, or `signal` aborted.
   * Rejects with a {@linkcode CommandError} when the server stays away or refuses for good.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, book, giveUpMs } = this.#env;
    let backoffMs = backoffMinMs;
    let downSinceMs = clock.nowMs();
    while (!signal.aborted) {
      let cause: unknown;
      try {
        await this.#session(signal);
        return;
      } catch (error) {
        cause = error;
      }
      if (signal.aborted) return;
      if (cause instanceof Refused && !cause.retryable) throw unavailable(cause);
      if (this.#publisher.connected) {
        book.totals.reconnects++;
        backoffMs = backoffMinMs;
        downSinceMs = clock.nowMs();
      } else {
        book.totals.connectFailures++;
        if (clock.nowMs() - downSinceMs > giveUpMs) throw unavailable(cause);
      }
      book.breakReason(cause);
      await clock.sleep(backoffMs * this.#random.between(0.5, 1), signal);
      backoffMs = Math.min(backoffMaxMs, backoffMs * 2);
    }
  }

  /** One socket from dialling to DISCONNECT. Rejects with what broke it. */
  async #session(signal: AbortSignal): Promise<void> {
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
      await new Promise<void>((resolve) => this.#wake = resolve);
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
      if (this.#publisher.connected) this.#resolveReady();
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

function unavailable(cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(exitCodes.unavailable, `cannot connect: ${reason}`, { cause });
}
