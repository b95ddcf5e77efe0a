/**
 * The two halves of a session's connection: one read and one write at a time, and an end that lets
 * the other side get what was sent to it.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { type ByteSink, Output, type WriterPool } from "./output.ts";
import { type BufferBudget, ReadBuffer } from "./read_buffer.ts";

/** What is needed of a `Deno.Conn`. */
export interface Connection extends ByteSink {
  /** `null`: the other end will send no more. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** What a link tells its session, from within no one's turn. */
export interface LinkEvents {
  received(count: number | null): void;
  /** Everything that was sent has been written. */
  drained(): void;
  failed(error: unknown): void;
}

/** What the links of a shard share. */
export interface LinkShared {
  readonly clock: Clock;
  readonly budget: BufferBudget;
  readonly writers: WriterPool;
  /** A link has closed for good. */
  closed(): void;
}

/** See the module. */
export class Link {
  readonly input: ReadBuffer;
  readonly output: Output;
  readonly #connection: Connection;
  readonly #shared: LinkShared;
  readonly #events: LinkEvents;
  #reading = false;
  #state: "open" | "leaving" | "closed" = "open";
  #linger: Timer | undefined;

  constructor(connection: Connection, shared: LinkShared, events: LinkEvents) {
    this.#connection = connection;
    this.#shared = shared;
    this.#events = events;
    this.input = new ReadBuffer(shared.budget);
    this.output = new Output(connection, shared.writers, this);
  }

  get reading(): boolean {
    return this.#reading;
  }

  /**
   * Reads behind what is not consumed; the answer is {@linkcode LinkEvents.received}. False when
   * there is no memory now for a packet that lacks `missingBytes`.
   */
  read(missingBytes: number): boolean {
    const room = this.input.room(missingBytes);
    if (room === undefined) return false;
    this.#readInto(room);
    return true;
  }

  /**
   * Writes what is left, says that nothing follows, and waits until the other end closes too, but
   * not longer than `lingerMs`: closing with bytes unread would take back what was just written.
   */
  leave(lingerMs: number): void {
    if (this.#state !== "open") return;
    this.#state = "leaving";
    this.#linger = this.#shared.clock.setTimer(lingerMs, () => this.close());
    this.output.flush();
    if (this.output.waitingBytes === 0) this.drained();
  }

  /** Closes at once. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#linger?.clear();
    this.input.release(!this.#reading);
    this.#connection.close();
    this.#shared.closed();
  }

  /** From {@linkcode Output}. */
  drained(): void {
    if (this.#state === "open") return this.#events.drained();
    if (this.#state === "leaving") {
      this.#connection.closeWrite().then(() => this.#discard(), () => this.close());
    }
  }

  /** From {@linkcode Output}. */
  writeFailed(error: unknown): void {
    this.#failed(error);
  }

  #readInto(room: Uint8Array<ArrayBuffer>): void {
    this.#reading = true;
    this.#connection.read(room).then(this.#received, this.#failed);
  }

  #discard(): void {
    if (this.#state === "leaving" && !this.#reading) this.#readInto(this.input.bytes);
  }

  readonly #received = (count: number | null): void => {
    this.#reading = false;
    if (this.#state === "open") this.#events.received(count);
    else if (count === null) this.close();
    else this.#discard();
  };

  readonly #failed = (error: unknown): void => {
    this.#reading = false;
    if (this.#state === "open") this.#events.failed(error);
    else this.close();
  };
}
