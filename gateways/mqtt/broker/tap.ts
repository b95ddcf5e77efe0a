/**
 * The stream between a broker's socket and mqtt.js. The client keeps what it is good at (CONNECT,
 * subscriptions, keep-alive, reconnecting); the messages themselves are taken out of the stream
 * before they reach it and acknowledged straight on the socket, so that a reading costs no object
 * per packet, and so that not reading the socket is the whole of the backpressure.
 *
 * @module
 */
import { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
import { encodePacket, type Packet } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import type { PublishView } from "../codec/publish.ts";
import { type PacketHandler, PacketScanner } from "../codec/scanner.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Gathering } from "./gathering.ts";

/** What the tap takes out of the stream. */
export interface TapHandler {
  /** False: not now. The socket is not read until {@linkcode BrokerTap.readOn}. */
  publish(view: PublishView): boolean;
  /** The broker releases a QoS 2 message: answer PUBCOMP. */
  released(packetId: number): void;
  /** Every whole packet that was read has been handed over. */
  drained(): void;
}

export interface TapOptions {
  readonly dial: () => Promise<ByteStream>;
  readonly version: 4 | 5;
  readonly packetBytesMax: number;
  /** Of a larger PUBLISH only the beginning is handed over: a broker has no limit of its own. */
  readonly keptBytesMax: number;
  /**
   * How long the socket is left alone, so that more comes at once (see {@linkcode Gathering}). 0
   * where the broker waits for acknowledgements before it sends more.
   */
  readonly gatherMs: number;
  readonly clock: Pick<Clock, "setTimer">;
  readonly handler: TapHandler;
}

const publishType = 3;
/** What the broker does not take of what it is sent, before no more is taken from it. */
const outboundBytesMax = 64 * 1024;
const pingRequest = 0xc0;
const pingResponse = Buffer.from([0xd0, 0x00]);

/** One connection's stream; mqtt.js makes a new one for each try. */
export class BrokerTap extends Duplex {
  readonly #handler: TapHandler;
  readonly #version: ProtocolVersion;
  readonly #scanner: PacketScanner;
  readonly #keptBytesMax: number;
  readonly #gatherMs: number;
  readonly #clock: Pick<Clock, "setTimer">;
  #stream: ByteStream | undefined;
  readonly #opened: Promise<ByteStream>;
  #outbound = Promise.resolve();
  #outboundBytes = 0;
  #pending: Uint8Array = Buffer.alloc(0);
  #pendingEnd = 0;
  /** What is still to come of a packet whose beginning was handed over. */
  #skipBytes = 0;
  #wake: (() => void) | undefined;
  /** There was a reason to go on since the last scan began. */
  #goOn = false;
  #stalled = false;
  #partial = Buffer.alloc(0);

  constructor(options: TapOptions) {
    super({ autoDestroy: true, emitClose: true, decodeStrings: true });
    this.#handler = options.handler;
    this.#version = options.version;
    this.#keptBytesMax = options.keptBytesMax;
    this.#gatherMs = options.gatherMs;
    this.#clock = options.clock;
    this.#scanner = new PacketScanner("client", this.#packetHandler(), {
      version: options.version,
      packetBytesMax: options.packetBytesMax,
    });
    this.#opened = options.dial();
    this.#run().catch((cause: unknown) => this.destroy(asError(cause)));
  }

  /** Bytes that were written and that the broker has not taken yet. */
  get outboundBytes(): number {
    return this.#outboundBytes;
  }

  /** Sends whole packets, between those of mqtt.js. */
  send(packets: Uint8Array): void {
    this.#outboundBytes += packets.length;
    this.#outbound = this.#outbound
      .then(async () => {
        const stream = await this.#opened;
        await stream.write(packets);
        this.#outboundBytes -= packets.length;
        if (this.#stalled && this.#outboundBytes === 0) this.readOn();
      })
      .catch((cause: unknown) => {
        this.destroy(asError(cause));
      });
  }

  /** Hands over what was refused before, and reads on. */
  readOn(): void {
    this.#goOn = true;
    this.#wake?.();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeWhole(chunk);
    done();
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: string }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#writeWhole(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#outbound.then(() => {
      this.#stream?.close();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream?.close();
    this.#wake?.();
    done(error);
  }

  async #run(): Promise<void> {
    const stream = await this.#opened;
    if (this.destroyed) return stream.close();
    this.#stream = stream;
    const { chunkBytesMax } = stream;
    const gathering = this.#gatherMs > 0 && chunkBytesMax !== undefined
      ? new Gathering(chunkBytesMax)
      : undefined;
    for (;;) {
      const chunk = await stream.read().catch((cause: unknown) => {
        if (this.destroyed) return undefined;
        throw cause;
      });
      if (chunk === undefined) break;
      await this.#take(chunk);
      if (!this.destroyed && gathering?.waitsAfter(chunk.length) === true) await this.#gather();
      if (this.destroyed) return;
    }
    this.push(null);
    this.destroy();
  }

  async #gather(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(this.#gatherMs, resolve);
      this.#wake = () => {
        timer.clear();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Scans `chunk` behind what was left over, waiting whenever the handler refuses. */
  async #take(chunk: Uint8Array): Promise<void> {
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    if (skipped === chunk.length) return;
    let bytes = chunk;
    let at = skipped;
    let end = chunk.length;
    if (this.#pendingEnd > 0) {
      end = this.#pendingEnd + chunk.length;
      if (this.#pending.length < end) {
        const wanted = this.#scanner.missingBytes + this.#pendingEnd;
        const grown = new Uint8Array(Math.max(end, Math.min(wanted, this.#keptBytesMax)));
        grown.set(this.#pending.subarray(0, this.#pendingEnd));
        this.#pending = grown;
      }
      this.#pending.set(chunk, this.#pendingEnd);
      bytes = this.#pending;
    }
    for (;;) {
      this.#goOn = false;
      at = this.#scanner.scan(bytes, at, end);
      this.#handler.drained();
      if (at === end) break;
      const { missingBytes } = this.#scanner;
      if (missingBytes > 0) {
        if (bytes[at]! >> 4 !== publishType || end - at < this.#keptBytesMax) break;
        this.#skipBytes = missingBytes;
        end = at + this.#keptBytesMax;
        setRemainingLength(bytes, at, end);
        continue;
      }
      if (this.#goOn) continue; // Room was made meanwhile.
      this.#stalled = true;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#stalled = false;
      this.#wake = undefined;
      if (this.destroyed) return;
    }
    const left = end - at;
    if (left > 0) {
      if (this.#pending.length < left || bytes !== this.#pending) {
        this.#pending = new Uint8Array(Math.max(left * 2, 4096));
      }
      this.#pending.set(bytes.subarray(at, end));
    }
    this.#pendingEnd = left;
  }

  #packetHandler(): PacketHandler {
    return {
      publish: (view) => this.#outboundBytes <= outboundBytesMax && this.#handler.publish(view),
      acknowledged: (kind, packetId) => {
        if (kind === "pubrel") this.#handler.released(packetId);
        return true;
      },
      packet: (packet: Packet) => {
        this.push(Buffer.from(encodePacket(packet, this.#version)));
        return true;
      },
    };
  }

  /**
   * mqtt.js may write a packet in pieces: only whole ones go out, so that {@linkcode send} never
   * falls between two pieces. While the socket is not read, the answer to its ping is not seen:
   * it gets one from here, and the broker gets the ping all the same.
   */
  #writeWhole(chunk: Buffer): void {
    const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let at = 0;
    for (;;) {
      const length = wholePacketLength(bytes, at);
      if (length === undefined) break;
      if (bytes[at] === pingRequest && this.#stalled) this.push(pingResponse);
      at += length;
    }
    if (at > 0) this.send(bytes.subarray(0, at));
    this.#partial = Buffer.from(bytes.subarray(at));
  }
}

/** Makes the packet at `at` end at `end`, in as many bytes of length as it had. */
function setRemainingLength(bytes: Uint8Array, at: number, end: number): void {
  let body = at + 1;
  while (bytes[body++]! >= 0x80);
  let length = end - body;
  for (let i = at + 1; i < body; i++) {
    bytes[i] = (length & 0x7f) | (i < body - 1 ? 0x80 : 0);
    length >>>= 7;
  }
}

/** Length of the packet at `at`, fixed header included; `undefined` when it is not whole. */
function wholePacketLength(bytes: Uint8Array, at: number): number | undefined {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 0x80) {
      const whole = 1 + i + length;
      return at + whole <= bytes.length ? whole : undefined;
    }
  }
  return undefined;
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
