/**
 * What one connection of `load` says and understands, without its socket: packs as many messages
 * as are due and fit the window into one write, takes acknowledgements, and after a break sends
 * again what was not acknowledged, in order, with DUP and the packet identifiers of before.
 *
 * @module
 */
import {
  type AcknowledgementKind,
  writeAcknowledged,
} from "../../gateways/mqtt/codec/acknowledgement.ts";
import type { Connack } from "../../gateways/mqtt/codec/connack.ts";
import { type ControlPacket, encodePacket } from "../../gateways/mqtt/codec/packet.ts";
import { writePing } from "../../gateways/mqtt/codec/ping.ts";
import { noProperties } from "../../gateways/mqtt/codec/properties.ts";
import { ProtocolError } from "../../gateways/mqtt/codec/protocol_error.ts";
import { reasonCodes, reasonName } from "../../gateways/mqtt/codec/reason_code.ts";
import { type PacketHandler, PacketScanner } from "../../gateways/mqtt/codec/scanner.ts";
import { PacketWriter } from "../../gateways/mqtt/codec/writer.ts";
import { isPoison } from "../poison.ts";
import { InFlight, packetIdOf } from "./in_flight.ts";
import type { LoadBook } from "./load_book.ts";
import type { MessagePlan, PacketImage } from "./packet_image.ts";
import { Refused } from "./refused.ts";

/** When the messages of a connection are due; numbers count from 0. */
export interface Schedule {
  /** How many messages may have been sent by now. */
  allowed(nowMs: number): number;
  /** When message `k` was due; `nowMs` when there is no schedule. */
  dueMs(k: number, nowMs: number): number;
}

const sessionExpiryS = 3_600;
/** The server's packets: acknowledgements, and reasons in words. */
const packetBytesMax = 64 * 1024;

/** One connection's side of the conversation, over any number of sockets. */
export class Publisher implements PacketHandler {
  readonly clientId: string;
  readonly #plan: MessagePlan;
  readonly #images: readonly PacketImage[];
  readonly #schedule: Schedule;
  readonly #book: LoadBook;
  readonly #inFlight: InFlight;
  /** PUBREL and PINGREQ that wait for the next write. */
  readonly #control = new PacketWriter(64);
  readonly #windowMax: number;
  readonly #messageBytesMax: number;
  readonly #roomMin: number;
  #window: number;
  #scanner: PacketScanner;
  #connack: Connack | undefined;
  #nowMs = 0;
  /** Messages below this are out on the present socket; those from here to `next` must go again. */
  #resendAt = 0;

  constructor(options: {
    readonly clientId: string;
    readonly plan: MessagePlan;
    /** Of this connection's devices, which take turns. */
    readonly images: readonly PacketImage[];
    readonly schedule: Schedule;
    readonly book: LoadBook;
    /** Most messages in flight, 1 to 65,535. */
    readonly window: number;
    /** Room in the window that is worth a write while others are in flight. */
    readonly roomMin: number;
  }) {
    if (options.images.length === 0) throw new RangeError("A connection needs a device");
    this.clientId = options.clientId;
    this.#plan = options.plan;
    this.#images = options.images;
    this.#schedule = options.schedule;
    this.#book = options.book;
    this.#windowMax = options.window;
    this.#window = options.window;
    this.#roomMin = options.roomMin;
    this.#inFlight = new InFlight(options.window);
    this.#messageBytesMax = Math.max(...options.images.map((image) => image.length));
    this.#scanner = this.#newScanner();
  }

  /** Messages sent so far: numbers 0 up to this one. */
  get sent(): number {
    return this.#inFlight.next;
  }

  get inFlight(): number {
    return this.#inFlight.count;
  }

  /** True once CONNACK said yes on the present socket. */
  get connected(): boolean {
    return this.#connack !== undefined;
  }

  /** Begins on a new socket with the CONNECT packet. */
  connect(credentials: Credentials, keepAliveS: number): Uint8Array<ArrayBuffer> {
    const { version } = this.#plan;
    this.#connack = undefined;
    this.#scanner = this.#newScanner();
    this.#control.length = 0;
    this.#resendAt = this.#inFlight.first;
    return encodePacket({
      kind: "connect",
      version,
      clean: false,
      keepAliveS,
      clientId: this.clientId,
      ...credentials,
      properties: version === 5 ? { sessionExpiryIntervalS: sessionExpiryS } : noProperties,
    }, version);
  }

  /** DISCONNECT; the session, which subscribed to nothing, may go. */
  disconnect(): Uint8Array<ArrayBuffer> {
    const { version } = this.#plan;
    return encodePacket({
      kind: "disconnect",
      reasonCode: reasonCodes.success,
      properties: version === 5 ? { sessionExpiryIntervalS: 0 } : noProperties,
    }, version);
  }

  /** Keeps an idle connection alive: PINGREQ with the next write. */
  ping(): void {
    if (this.#connack !== undefined) writePing(this.#control, "pingreq");
  }

  /** Fills `out` with what can go now and returns how many bytes that is. */
  fill(out: Uint8Array, nowMs: number): number {
    if (this.#connack === undefined) return 0;
    let at = this.#takeControl(out);
    const inFlight = this.#inFlight;
    while (this.#resendAt < inFlight.next && this.#fits(out, at)) {
      at = this.#writeAgain(out, at, Math.max(this.#resendAt, inFlight.first));
    }
    if (this.#resendAt < inFlight.next) return at;
    const { count } = inFlight;
    if (count > 0 && this.#window - count < this.#roomMin) return at;
    const allowed = Math.min(
      this.#schedule.allowed(nowMs),
      this.#plan.qos === 0 ? Infinity : inFlight.first + this.#window,
    );
    while (inFlight.next < allowed && this.#fits(out, at)) {
      const k = inFlight.send(this.#schedule.dueMs(inFlight.next, nowMs), nowMs);
      at = this.#write(out, at, k, false);
      if (this.#plan.qos === 0) inFlight.close(k);
      this.#book.totals.sent++;
    }
    this.#resendAt = inFlight.next;
    return at;
  }

  /** QoS 0 knows no acknowledgement: messages `from..to` count as such once they are written. */
  written(from: number, to: number, nowMs: number): void {
    if (this.#plan.qos !== 0) return;
    for (let k = from; k < to; k++) this.#acknowledged(k, nowMs);
  }

  /**
   * Takes what the server sent; returns how many bytes were used, the rest is to come again with
   * more behind it. Throws a `ProtocolError` or a {@linkcode Refused}.
   */
  received(bytes: Uint8Array, length: number, nowMs: number): number {
    this.#nowMs = nowMs;
    return this.#scanner.scan(bytes, 0, length);
  }

  publish(): boolean {
    throw new ProtocolError(reasonCodes.protocolError, "a PUBLISH without subscription", "§3.3.4");
  }

  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): boolean {
    const k = this.#inFlight.find(packetId);
    if (k < 0) {
      this.#book.totals.strayAcknowledgements++;
      return true;
    }
    if (reasonCode !== 0) this.#book.reason(reasonName(reasonCode));
    if (reasonCode >= 0x80) {
      // After a PUBREC that said yes, PUBCOMP can only fail to find the identifier.
      if (!this.#inFlight.isReleased(k)) this.#turnedAway(k);
      this.#inFlight.close(k);
    } else if (kind === "puback") {
      this.#acknowledged(k, this.#nowMs);
      this.#inFlight.close(k);
    } else if (kind === "pubrec") {
      if (this.#inFlight.release(k)) this.#acknowledged(k, this.#nowMs);
      writeAcknowledged(this.#control, "pubrel", packetId);
    } else {
      this.#inFlight.close(k);
    }
    return true;
  }

  packet(packet: ControlPacket): boolean {
    switch (packet.kind) {
      case "connack": {
        if (packet.reasonCode !== 0) {
          throw Refused.byMqtt("connection", this.#plan.version, packet.reasonCode);
        }
        this.#connack = packet;
        const { receiveMaximum = 65_535 } = packet.properties;
        this.#window = Math.min(this.#windowMax, receiveMaximum);
        return true;
      }
      case "disconnect":
        throw Refused.byMqtt("session", this.#plan.version, packet.reasonCode);
      case "pingresp":
        return true;
      default:
        throw new ProtocolError(
          reasonCodes.protocolError,
          `a ${packet.kind} that was not asked for`,
          "MQTT-4.13.1-1",
        );
    }
  }

  /** Poison is settled when it is turned away. */
  #turnedAway(k: number): void {
    const counter = Math.floor(k / this.#images.length);
    if (isPoison(this.#plan.poisonEvery, counter)) this.#acknowledged(k, this.#nowMs);
    else this.#book.totals.rejected++;
  }

  #acknowledged(k: number, nowMs: number): void {
    const inFlight = this.#inFlight;
    const image = this.#images[k % this.#images.length]!;
    const counter = Math.floor(k / this.#images.length);
    this.#book.acknowledged(image.device, counter, inFlight.dueMs(k), inFlight.sentMs(k), nowMs);
  }

  /** Once more on this socket. DUP even when the server lost the session: it may know the message. */
  #writeAgain(out: Uint8Array, at: number, k: number): number {
    this.#resendAt = k + 1;
    if (k >= this.#inFlight.next || this.#inFlight.isClosed(k)) return at;
    this.#book.totals.resent++;
    if (!this.#inFlight.isReleased(k)) return this.#write(out, at, k, true);
    writeAcknowledged(this.#control, "pubrel", packetIdOf(k));
    return at + this.#takeControl(out.subarray(at));
  }

  #write(out: Uint8Array, at: number, k: number, dup: boolean): number {
    const image = this.#images[k % this.#images.length]!;
    return image.write(out, at, Math.floor(k / this.#images.length), packetIdOf(k), dup);
  }

  #fits(out: Uint8Array, at: number): boolean {
    return at + this.#messageBytesMax <= out.length;
  }

  /** Moves waiting control packets to `out`, as far as they fit: the stream goes on in the next. */
  #takeControl(out: Uint8Array): number {
    const control = this.#control;
    const count = Math.min(control.length, out.length);
    out.set(control.bytes.subarray(0, count));
    control.bytes.copyWithin(0, count, control.length);
    control.length -= count;
    return count;
  }

  #newScanner(): PacketScanner {
    return new PacketScanner("client", this, { version: this.#plan.version, packetBytesMax });
  }
}

/** User name and password, as CONNECT carries them. */
export interface Credentials {
  readonly username?: string;
  readonly password?: Uint8Array;
}
