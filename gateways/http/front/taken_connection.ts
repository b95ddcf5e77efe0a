/**
 * A connection in the middle of which somebody else goes on: what a read that was under way brings
 * comes first.
 *
 * @module
 */
import type { Connection } from "../../mqtt/endpoint/link.ts";

/** See the module. */
export class TakenConnection implements Connection {
  readonly #connection: Connection;
  readonly #closed: () => void;
  #read:
    | { readonly into: Uint8Array<ArrayBuffer>; readonly count: Promise<number | null> }
    | undefined;
  #rest = new Uint8Array(0);

  /** `closed` closes the connection. */
  constructor(
    connection: Connection,
    read:
      | { readonly into: Uint8Array<ArrayBuffer>; readonly count: Promise<number | null> }
      | undefined,
    closed: () => void,
  ) {
    this.#connection = connection;
    this.#read = read;
    this.#closed = closed;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (this.#read !== undefined) {
      const count = await this.#read.count;
      if (count === null) return null;
      this.#rest = this.#read.into.subarray(0, count);
      this.#read = undefined;
    }
    if (this.#rest.length === 0) return await this.#connection.read(into);
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = count < this.#rest.length ? this.#rest.subarray(count) : nothing;
    return count;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#connection.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  close(): void {
    this.#closed();
  }
}

const nothing = new Uint8Array(0);
