/**
 * The decrypted side of a connection of `node:tls`, as a session reads and writes it: one read and
 * one write at a time, and nothing is read from the socket that no read asked for.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";
import type { Connection } from "../endpoint/link.ts";
import type { SocketStream } from "./socket_stream.ts";

interface Reader {
  readonly into: Uint8Array<ArrayBuffer>;
  readonly answer: (count: number | null) => void;
  readonly fail: (error: unknown) => void;
}

/** See the module. */
export class TlsConnection implements Connection {
  readonly #raw: SocketStream;
  readonly #tls: TLSSocket;
  #reader: Reader | undefined;
  #ended = false;
  #failure: Error | undefined;

  /** The handshake is through; `tls` has a listener for its errors. */
  constructor(raw: SocketStream, tls: TLSSocket) {
    this.#raw = raw;
    this.#tls = tls;
    raw.wanted = false;
    tls.on("readable", () => this.#give());
    tls.on("end", () => {
      this.#ended = true;
      this.#give();
    });
    tls.on("error", (error) => this.#fail(error));
    tls.on("close", () => this.#fail(new Error("the connection is closed")));
  }

  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    return new Promise((answer, fail) => {
      this.#reader = { into, answer, fail };
      this.#give();
      this.#raw.wanted = this.#reader !== undefined;
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tls.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#tls.end(resolve);
    });
  }

  close(): void {
    this.#tls.destroy();
    this.#raw.destroy();
  }

  #give(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const bytes: Uint8Array | null = this.#tls.read(
      Math.min(reader.into.length, Math.max(1, this.#tls.readableLength)),
    );
    if (bytes !== null) {
      reader.into.set(bytes);
      return this.#answered()?.answer(bytes.length);
    }
    if (this.#ended) return this.#answered()?.answer(null);
    if (this.#failure !== undefined) this.#answered()?.fail(this.#failure);
  }

  #answered(): Reader | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#raw.wanted = false;
    return reader;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#give();
  }
}
