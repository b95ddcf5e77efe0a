/**
 * A WebSocket client that sends what it likes, for attacks.
 *
 * @module
 */
import {
  type ClientFrame,
  clientFrame,
  closeCodeIn,
  type ServerFrame,
  serverFrames,
  upgradeHead,
} from "../../gateways/websocket/testing/client_frames.ts";

/** How long a write may take before the other end is said not to read. */
const stuckMs = 1_000;

/** See the module. */
export class RawWebSocket implements Disposable {
  /** The head of the answer. */
  readonly head: string;
  readonly #connection: Deno.TcpConn | Deno.TlsConn;
  #received: Uint8Array;

  private constructor(connection: Deno.TcpConn | Deno.TlsConn, head: string, received: Uint8Array) {
    this.#connection = connection;
    this.head = head;
    this.#received = received;
  }

  /** Over TLS where `caCerts` are given. */
  static async open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    caCerts?: string[],
  ): Promise<RawWebSocket> {
    const connection = caCerts === undefined
      ? await Deno.connect({ hostname: "127.0.0.1", port })
      : await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts });
    try {
      await connection.write(new TextEncoder().encode(upgradeHead(path, headers)));
      const decoder = new TextDecoder("latin1");
      let received = new Uint8Array(0);
      for (;;) {
        const end = decoder.decode(received).indexOf("\r\n\r\n") + 4;
        if (end >= 4) {
          const head = decoder.decode(received.subarray(0, end));
          return new RawWebSocket(connection, head, received.slice(end));
        }
        const more = await read(connection);
        if (more === undefined) throw new Deno.errors.UnexpectedEof("it ended before the answer");
        received = joined(received, more);
      }
    } catch (cause) {
      connection.close();
      throw cause;
    }
  }

  /** Whole or in part; what the other end does not take any more is left out. */
  async send(...frames: readonly (ClientFrame | Uint8Array)[]): Promise<void> {
    for (const frame of frames) {
      await this.write(frame instanceof Uint8Array ? frame : clientFrame(frame));
    }
  }

  /** False: the other end takes no more. */
  async write(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return true;
    } catch (cause) {
      if (isOver(cause)) return false;
      throw cause;
    }
  }

  /** Sends the same again and again until the other end reads no more; gives the bytes it took. */
  async flood(bytes: Uint8Array, bytesMax: number): Promise<number> {
    let taken = 0;
    while (taken < bytesMax) {
      const stuck = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => stuck.resolve(false), stuckMs);
      const written = await Promise.race([this.write(bytes), stuck.promise]);
      clearTimeout(timer);
      if (!written) break;
      taken += bytes.length;
    }
    return taken;
  }

  /** Reads until a message is like this. */
  async heard(pattern: RegExp): Promise<void> {
    const decoder = new TextDecoder();
    while (!this.frames().some(({ payload }) => pattern.test(decoder.decode(payload)))) {
      if (!await this.#more()) throw new Error(`the connection ended before ${pattern}`);
    }
  }

  /** Reads to the end: the code the other end closed with; `undefined`: it closed without one. */
  async closed(): Promise<number | undefined> {
    while (await this.#more());
    return closeCodeIn(this.frames());
  }

  frames(): readonly ServerFrame[] {
    return serverFrames(this.#received).frames;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  /** False: the connection has ended. */
  async #more(): Promise<boolean> {
    const more = await read(this.#connection);
    if (more !== undefined) this.#received = joined(this.#received, more);
    return more !== undefined;
  }
}

const isOver = (cause: unknown): boolean =>
  cause instanceof Deno.errors.BrokenPipe || cause instanceof Deno.errors.ConnectionReset ||
  cause instanceof Deno.errors.BadResource || cause instanceof Deno.errors.Interrupted;

async function read(connection: Deno.Conn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(16_384);
  try {
    const count = await connection.read(buffer);
    return count === null ? undefined : buffer.subarray(0, count);
  } catch (cause) {
    if (isOver(cause)) return undefined;
    throw cause;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
