/**
 * The service's end of a WebSocket (RFC 6455). It reads when it is asked to and no further, so who
 * is not asked is held by TCP; a frame that is not allowed ends the connection for what its head
 * announces. Pings, pongs and the closing are dealt with here.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Connection } from "../../mqtt/endpoint/link.ts";
import type { BufferBudget } from "../../mqtt/endpoint/read_buffer.ts";
import { closeCodeOf } from "./close_payload.ts";
import { closeFrame, frameBytes } from "./frame_bytes.ts";
import { type FrameHead, opcodes, WireError } from "./frame_head.ts";
import { FrameReader } from "./frame_reader.ts";

export interface ServerSocketOptions {
  readonly clock: Clock;
  /** For read buffers that have grown. */
  readonly budget: BufferBudget;
  /**
   * From a client that is listened to not even an answer to a ping comes for so long, or it takes
   * nothing of what it is sent: it is gone.
   */
  readonly idleMs: number;
}

/** How long the other end may take to close, too. */
const lingerMs = 2_000;

/** See the module. One call of `frame`, `piece` or `into` at a time. */
export class ServerSocket {
  readonly #connection: Connection;
  readonly #options: ServerSocketOptions;
  readonly #reader: FrameReader;
  readonly #closed = Promise.withResolvers<void>();
  #state: "open" | "closing" | "closed" = "open";
  #error: WireError | undefined;
  #inMessage = false;
  /** Somebody reads. */
  #busy = false;
  #written: Promise<void> = Promise.resolve();
  #unsentBytes = 0;
  /** When the client last took some of what it is sent, or had taken all. */
  #takenMs = 0;
  #idleTimer: Timer;
  #lingerTimer: Timer | undefined;

  /** `answer` is the handshake's, which goes out first. */
  constructor(
    connection: Connection,
    answer: Uint8Array<ArrayBuffer>,
    options: ServerSocketOptions,
  ) {
    this.#connection = connection;
    this.#options = options;
    const { clock, budget } = options;
    this.#reader = new FrameReader(connection, budget, () => clock.monotonic());
    this.#idleTimer = this.#watchLater();
    this.#write(answer);
  }

  /** Bytes that were sent and not taken yet. */
  get bufferedAmount(): number {
    return this.#unsentBytes;
  }

  /** Why the client was refused, if it was. */
  get error(): WireError | undefined {
    return this.#error;
  }

  /** The connection is gone. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * The head of the next frame with data; what is left of the one before must have been taken.
   * `undefined`: no more comes. A frame of more than `bytesMax` ends the connection.
   */
  frame(bytesMax: number): Promise<FrameHead | undefined> {
    return this.#reading(async () => {
      for (;;) {
        const head = await this.#reader.head(bytesMax);
        if (head === undefined) return this.#gone();
        if (this.#state !== "open") return undefined;
        if (head.opcode < opcodes.close) return this.#inOrder(head);
        if (!await this.#control(head)) return undefined;
      }
    });
  }

  /** More of the frame's payload: at least a byte. Empty: that was all. `undefined`: no more comes. */
  piece(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#reading(async () => await this.#reader.piece() ?? this.#gone());
  }

  /** The frame's payload into `target`. False: no more comes. */
  async into(target: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const done = await this.#reading(async () => await this.#reader.into(target) || this.#gone());
    return done === true;
  }

  /** Sends a message. Resolves when the client's connection has taken it, or is no more. */
  send(opcode: number, payload: Uint8Array): Promise<void> {
    return this.#state === "open" ? this.#write(frameBytes(opcode, payload)) : Promise.resolve();
  }

  /** Ends the connection; what was sent before still goes out. */
  close(code?: number, reason?: string): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#idleTimer.clear();
    this.#lingerTimer = this.#options.clock.setTimer(lingerMs, () => this.#gone());
    this.#write(closeFrame(code, reason));
    if (!this.#busy) this.#discard();
  }

  /** Ends the connection for what the client did. */
  fail(error: WireError): void {
    this.#error ??= error;
    this.close(error.code, error.message);
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#gone();
  }

  /** `read`'s answer, unless the connection is closing: then nothing is of interest but its end. */
  async #reading<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (this.#state !== "open") return undefined;
    this.#busy = true;
    try {
      const result = await read();
      if (this.#state === "open") return result;
    } catch (error) {
      if (error instanceof WireError) this.fail(error);
      else this.#gone(); // A connection that was reset, or closed from here.
    } finally {
      this.#busy = false;
    }
    this.#discard();
    return undefined;
  }

  #inOrder(head: FrameHead): FrameHead {
    if ((head.opcode === opcodes.continuation) !== this.#inMessage) {
      throw new WireError(1002, "a message goes on to its end before the next one");
    }
    this.#inMessage = !head.final;
    return head;
  }

  /** False: the client closes. */
  async #control({ opcode, length }: FrameHead): Promise<boolean> {
    const payload = new Uint8Array(length);
    if (!await this.#reader.into(payload)) return this.#gone() ?? false;
    // The next frame is read when the answer is taken: a flood of pings waits for its pongs.
    if (opcode === opcodes.ping) await this.send(opcodes.pong, payload);
    if (opcode !== opcodes.close) return true;
    this.close(closeCodeOf(payload));
    return false;
  }

  /** To the end of a connection that is closing. */
  async #discard(): Promise<void> {
    if (this.#state === "closed") return;
    try {
      await this.#written;
      await this.#connection.closeWrite();
      const into = new Uint8Array(512);
      while (this.#state === "closing" && await this.#connection.read(into) !== null);
    } catch { // It is reset, or closed from here.
    }
    this.#gone();
  }

  #write(frame: Uint8Array<ArrayBuffer>): Promise<void> {
    const { clock } = this.#options;
    if (this.#unsentBytes === 0) this.#takenMs = clock.monotonic();
    this.#unsentBytes += frame.length;
    const written = this.#written.then(async () => {
      try {
        for (let at = 0; at < frame.length && this.#state !== "closed";) {
          at += await this.#connection.write(frame.subarray(at));
          this.#takenMs = clock.monotonic();
        }
      } catch {
        this.#gone();
      }
      this.#unsentBytes -= frame.length;
    });
    return this.#written = written;
  }

  #watchLater(): Timer {
    const { clock, idleMs } = this.#options;
    return clock.setTimer(idleMs / 2, () => {
      const nowMs = clock.monotonic();
      const silentMs = nowMs - (this.#reader.silentSinceMs ?? nowMs);
      const stalledMs = this.#unsentBytes === 0 ? 0 : nowMs - this.#takenMs;
      if (Math.max(silentMs, stalledMs) >= idleMs) return this.#gone();
      if (silentMs >= idleMs / 4 && this.#unsentBytes === 0) {
        this.send(opcodes.ping, new Uint8Array(0));
      }
      this.#idleTimer = this.#watchLater();
    });
  }

  #gone(): undefined {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#idleTimer.clear();
    this.#lingerTimer?.clear();
    this.#connection.close();
    this.#reader.release();
    this.#closed.resolve();
  }
}
