/**
 * A TCP connection as a Node stream, for `node:tls`. That reads whatever it is given as fast as it
 * comes, so it is given no more than is asked for: the socket is read from only while somebody
 * wants bytes, and the rest stays in the kernel.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";

/** The part of a `Deno.TcpConn` that is used. */
export type RawConnection = Pick<Deno.TcpConn, "read" | "write" | "closeWrite" | "close">;

/** A read that waits holds its buffer: small at rest, large while reads fill it. */
const readBytes = { rest: 1_024, busy: 16 * 1_024 };
/** The most that may have been read before. */
export const firstBytesMax = readBytes.rest;

/** See the module. */
export class SocketStream extends Duplex {
  readonly #connection: RawConnection;
  #first: Uint8Array | undefined;
  #readBytes = readBytes.rest;
  /** Bytes are wanted by whoever is to get them in the end. */
  #wanted = false;
  /** The stream has room. */
  #hasRoom = false;
  #reading = false;

  /** `first` was read of the socket already: {@linkcode firstBytesMax} at most. */
  constructor(connection: RawConnection, first: Uint8Array) {
    super({ allowHalfOpen: true, readableHighWaterMark: readBytes.busy });
    this.#connection = connection;
    this.#first = first;
  }

  /** Reads from the socket while true; what is under way still comes when it is false again. */
  set wanted(wanted: boolean) {
    this.#wanted = wanted;
    this.#readNext();
  }

  override _read(): void {
    this.#hasRoom = true;
    this.#readNext();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writeAll(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#connection.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#connection.close();
    } catch (cause) { // Closed by whoever accepted it, at its deadline.
      if (!(cause instanceof Deno.errors.BadResource)) return done(error ?? errorOf(cause));
    }
    done(error);
  }

  #readNext(): void {
    if (!this.#wanted || !this.#hasRoom || this.#reading || this.destroyed) return;
    this.#reading = true;
    this.#hasRoom = false;
    const into = new Uint8Array(this.#readBytes);
    this.#readInto(into).then(
      (count) => {
        this.#reading = false;
        if (this.destroyed) return;
        this.#readBytes = count === into.length ? readBytes.busy : readBytes.rest;
        this.push(count === null ? null : Buffer.from(into.buffer, 0, count));
      },
      (cause: unknown) => this.destroy(errorOf(cause)),
    );
  }

  async #readInto(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const first = this.#first;
    if (first === undefined) return await this.#connection.read(into);
    this.#first = undefined;
    // A TLSSocket that fails in the turn that made it throws where nobody can catch it.
    await eventLoopTurn();
    into.set(first);
    return first.length;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}

const errorOf = (cause: unknown): Error =>
  cause instanceof Error ? cause : new Error(String(cause));
