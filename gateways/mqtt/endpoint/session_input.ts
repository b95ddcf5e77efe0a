/**
 * The reading half of a session: takes packets out of what was read and reads on, unless something
 * holds it back. What cannot be taken stays in the socket: for want of credit, with as much in
 * flight as may be, or while the other end does not take its acknowledgements.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketScanner } from "../codec/scanner.ts";
import type { Conversation, PacketHold } from "./conversation.ts";
import type { Link } from "./link.ts";
import type { SessionShared } from "./session_shared.ts";

/** Why nothing is read just now. */
export type Hold = "none" | PacketHold | "output" | "memory";

/** What an input needs of its session. */
export interface InputHost {
  readonly ended: boolean;
  /** Has {@linkcode SessionInput.resumed} called in the session's own turn. */
  resumeLater(): void;
  /** What was read could not be kept for those it is for: nothing of it may be acknowledged. */
  notKept(): void;
  /** What was read breaks the protocol. */
  violated(error: ProtocolError): void;
}

/** CONNECT may be this large: credentials, and a will. */
const connectBytesMax = 64 * 1024;
/** Acknowledgements that the other end does not take before it is no longer read from. */
const outputBytesMax = 64 * 1024;
/** All of those together, as a share of what the read buffers may hold. */
const outputShare = 0.25;
/** So much of a packet that takes its time shows that its sender is alive. */
const signOfLifeBytes = 1_000;
/** A read that waited this long came to a quiet connection. */
const quietMs = 5_000;

/** See the module. */
export class SessionInput {
  /** When a packet came last, or the session's phase began. Monotonic, ms. */
  sinceMs: number;
  /** Bytes that came since. */
  #trickledBytes = 0;
  #connected = false;
  readonly #host: InputHost;
  readonly #shared: SessionShared;
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #conversation: Conversation;
  readonly #scanner: PacketScanner;
  #hold: Hold = "none";
  #resumeAsked = false;

  constructor(
    host: InputHost,
    shared: SessionShared,
    clock: Clock,
    link: Link,
    conversation: Conversation,
  ) {
    this.#host = host;
    this.#shared = shared;
    this.#clock = clock;
    this.#link = link;
    this.#conversation = conversation;
    this.#scanner = new PacketScanner("server", conversation, {
      packetBytesMax: Math.min(connectBytesMax, shared.services.limits.packetBytesMax),
    });
    this.sinceMs = clock.monotonic();
  }

  get held(): Hold {
    return this.#hold;
  }

  /** The packet in hand was not taken. */
  hold(hold: PacketHold): void {
    this.#hold = hold;
  }

  /** The client is connected: its packets may be as large as any. */
  opened(): void {
    this.#connected = true;
    this.#scanner.packetBytesMax = this.#shared.services.limits.packetBytesMax;
  }

  /** So many bytes were read behind those that were not taken: a sign of life, if that counts. */
  filled(count: number, alive: boolean): void {
    const nowMs = this.#clock.monotonic();
    const quiet = nowMs - this.sinceMs > quietMs;
    this.#link.input.filled(count, quiet);
    this.#shared.services.stats.bytesReceived += count;
    if (quiet) this.#conversation.inbound?.rest();
    this.#trickledBytes += count;
    if (alive && this.#trickledBytes >= signOfLifeBytes) this.#alive(nowMs);
  }

  resumed(): void {
    this.#resumeAsked = false;
  }

  /** What held it back may be over. */
  askResume(): void {
    if (this.#resumeAsked) return;
    this.#resumeAsked = true;
    this.#host.resumeLater();
  }

  /** Takes as many packets as can be taken, then reads on unless something holds it back. */
  advance(): void {
    const { output } = this.#link;
    // While a read is under way, everything that was read before it has been taken.
    if (!this.#link.reading) this.#take();
    if (this.#host.ended) return;
    output.flush();
    if (this.#link.reading) return;
    if (this.#hold === "none" && this.#mustBeTaken(output.waitingBytes)) this.#hold = "output";
    if (this.#hold === "none") this.read();
    else this.#shared.services.stats.pauses++;
  }

  read(): void {
    if (this.#link.read(this.#scanner.missingBytes)) return;
    this.#hold = "memory";
    this.#shared.services.stats.pauses++;
  }

  #take(): void {
    const { input } = this.#link;
    if (this.#hold !== "none") this.sinceMs = this.#clock.monotonic();
    this.#hold = "none";
    let broken: ProtocolError | undefined;
    const { start } = input;
    try {
      input.start = this.#scanner.scan(input.bytes, start, input.end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      broken = error;
    }
    this.#shared.services.stats.packetsReceived += this.#scanner.taken;
    this.#scanner.taken = 0;
    // A packet counts, not a byte of one [MQTT-3.1.2-22].
    if (input.start > start && this.#connected) this.#alive(this.#clock.monotonic());
    if (this.#conversation.info !== undefined) {
      const { intake, messages } = this.#shared.services;
      intake.flush();
      if (!messages.flush()) this.#host.notKept();
      if (!this.#host.ended) this.#conversation.inbound?.release();
    }
    if (broken !== undefined && !this.#host.ended) this.#host.violated(broken);
  }

  #alive(nowMs: number): void {
    this.sinceMs = nowMs;
    this.#trickledBytes = 0;
  }

  /** What waits for the other end is too much, or all of what waits for all of them is. */
  #mustBeTaken(waitingBytes: number): boolean {
    if (waitingBytes === 0) return false;
    const { writers, services } = this.#shared;
    return waitingBytes > outputBytesMax ||
      writers.waitingBytes > services.limits.readBytesMax * outputShare;
  }
}
