/**
 * One end of a duplex connection to another Worker, over a MessagePort. It has two lanes: `data`,
 * for messages and for whole buffers that are handed over, and `control`, for answers and
 * settlements, which must get through however full the data lane is. Each lane and direction has
 * its own credit in count and bytes; without credit a send answers `full`, and the receiver is
 * told when it can go on.
 *
 * What is sent in one turn of the event loop leaves as one `postMessage`, or as one for each full
 * frame.
 *
 * @module
 */
import type { TellResult } from "./actor.ts";
import { type CreditWindow, ReceiveCredit, SendCredit } from "./credit.ts";
import { decodeFrame } from "./frame_decoder.ts";
import { FrameEncoder, messageBytesMaxDefault } from "./frame_encoder.ts";
import { noRefs, type RefCodec, type Target } from "./frames.ts";
import { Packet, type PartKind, readPacket } from "./port_packet.ts";

export type LaneName = "data" | "control";

/** The part of a MessagePort that is used; a test may bring its own. */
export interface Channel {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** The user of a port. */
export interface PortReceiver {
  /** A whole buffer; its credit goes back when this returns. */
  buffer(bytes: Uint8Array): void;
  /**
   * A message. True: taken, its credit goes back. False: the receiver holds it, and calls
   * {@linkcode Port.release} later.
   */
  message(lane: LaneName, target: Target, message: unknown, bytes: number): boolean;
  /** A send on `lane` that answered `full` can be tried again. */
  credit(lane: LaneName): void;
  /** The other end broke the protocol, or something thrown came out of the receiver: it is shut. */
  broken(cause: unknown): void;
}

export interface PortOptions {
  /** Both ends must have the same windows. */
  readonly data?: CreditWindow;
  readonly control?: CreditWindow;
  /** A larger message, or buffer, is refused with a `RangeError`. At most half a window. */
  readonly messageBytesMax?: number;
  readonly refs?: RefCodec;
  /** Runs `flush` at the end of the turn. Default `queueMicrotask`. */
  readonly schedule?: (flush: () => void) => void;
}

/** 4 MiB under way a lane and direction: 64 full frames. */
export const windowDefault: CreditWindow = { count: 65_536, bytes: 4 * 1024 * 1024 };

interface Lane {
  readonly encoder: FrameEncoder;
  readonly send: SendCredit;
  readonly receive: ReceiveCredit;
}

/** See the module. Nothing is received before {@linkcode Port.open}. */
export class Port {
  readonly #channel: Channel;
  readonly #refs: RefCodec;
  readonly #schedule: (flush: () => void) => void;
  readonly #messageBytesMax: number;
  readonly #data: Lane;
  readonly #control: Lane;
  readonly #packet = new Packet();
  readonly #flush = () => this.flush();
  #receiver: PortReceiver | undefined;
  #scheduled = false;
  #closed = false;

  constructor(channel: Channel, options: PortOptions = {}) {
    const { messageBytesMax = messageBytesMaxDefault, refs = noRefs } = options;
    this.#channel = channel;
    this.#refs = refs;
    this.#schedule = options.schedule ?? queueMicrotask;
    this.#messageBytesMax = messageBytesMax;
    const lane = (window: CreditWindow): Lane => {
      const send = new SendCredit(window, messageBytesMax);
      const encoder = new FrameEncoder({ refs, messageBytesMax, admission: send });
      return { encoder, send, receive: new ReceiveCredit(window) };
    };
    this.#data = lane(options.data ?? windowDefault);
    this.#control = lane(options.control ?? windowDefault);
  }

  /** Sent, and not yet consumed by the other end. */
  underway(lane: LaneName): { readonly count: number; readonly bytes: number } {
    const { send } = this.#lane(lane);
    return { count: send.underwayCount, bytes: send.underwayBytes };
  }

  /** Starts to receive. */
  open(receiver: PortReceiver): void {
    if (this.#receiver !== undefined) throw new Error("Cannot open the port: it is open");
    this.#receiver = receiver;
    if (this.#closed) return;
    this.#channel.onmessageerror = () => this.#break(new TypeError("Cannot clone the packet"));
    this.#channel.onmessage = (event) => this.#take(event.data, receiver);
  }

  /**
   * Sends a message. It is written out before this returns, so the caller may change it after.
   *
   * @throws {TypeError} when it holds what cannot be sent.
   * @throws {RangeError} when it is too large or too deep.
   */
  send(laneName: LaneName, target: Target, message: unknown): TellResult {
    if (this.#closed) return "stopped";
    const { encoder, send } = this.#lane(laneName);
    if (send.blocked) return "full";
    let result = encoder.add(target, message);
    if (result === "overflow") {
      this.#post(); // so that the other Worker has work while this turn goes on
      result = encoder.add(target, message);
    }
    if (result !== "added") return "full";
    this.#wake();
    return "accepted";
  }

  /**
   * Hands a whole buffer over to the other side, on the data lane and in order with its messages.
   * Once it was accepted it is detached here; with any other answer it is still the caller's.
   *
   * @throws {TypeError} when it is detached already.
   * @throws {RangeError} when it is too large.
   */
  transfer(buffer: ArrayBuffer): TellResult {
    if (this.#closed) return "stopped";
    if (buffer.detached) throw new TypeError("Cannot send the buffer: it was handed over before");
    if (buffer.byteLength > this.#messageBytesMax) {
      throw new RangeError(
        `Cannot send a buffer of ${buffer.byteLength} bytes: the limit is ${this.#messageBytesMax}`,
      );
    }
    if (!this.#data.send.take(buffer.byteLength)) return "full";
    this.#seal("data");
    this.#packet.add("buffer", buffer.transfer());
    this.#wake();
    return "accepted";
  }

  /** A message that the receiver held needs no more memory here. */
  release(laneName: LaneName, bytes: number): void {
    const { receive } = this.#lane(laneName);
    receive.consumed(bytes);
    if (receive.grantDue) this.#wake();
  }

  /** Posts what was gathered; done by itself at the end of a turn. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#closed) this.#post();
  }

  #post(): void {
    this.#seal("control");
    this.#seal("data");
    const { receive } = this.#data;
    if (this.#packet.empty && !receive.grantDue && !this.#control.receive.grantDue) return;
    const { message, transfer } = this.#packet.take(receive.grant(), this.#control.receive.grant());
    this.#channel.postMessage(message, transfer);
  }

  /** Nothing is sent or received any more. What was gathered is still posted. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#shut();
  }

  #lane(name: LaneName): Lane {
    return name === "data" ? this.#data : this.#control;
  }

  #seal(name: LaneName): void {
    const { encoder } = this.#lane(name);
    if (encoder.count > 0) this.#packet.add(name, encoder.seal());
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#flush);
  }

  #take(packet: unknown, receiver: PortReceiver): void {
    if (this.#closed) return;
    try {
      readPacket(packet, {
        granted: (data, control) => {
          if (this.#control.send.granted(control)) receiver.credit("control");
          if (this.#data.send.granted(data)) receiver.credit("data");
        },
        part: (kind, bytes) => this.#part(kind, bytes, receiver),
      });
    } catch (thrown) {
      this.#break(thrown);
    }
  }

  #part(kind: PartKind, bytes: Uint8Array, receiver: PortReceiver): void {
    if (kind === "buffer") {
      this.#data.receive.received(bytes.length);
      receiver.buffer(bytes);
      this.release("data", bytes.length);
      return;
    }
    const { receive } = this.#lane(kind);
    decodeFrame(bytes, (target, message, messageBytes) => {
      receive.received(messageBytes);
      if (receiver.message(kind, target, message, messageBytes)) this.release(kind, messageBytes);
    }, this.#refs);
  }

  #break(cause: unknown): void {
    if (this.#closed) return;
    this.#shut();
    this.#receiver?.broken(cause);
  }

  #shut(): void {
    this.#closed = true;
    this.#channel.onmessage = null;
    this.#channel.onmessageerror = null;
    this.#channel.close();
  }
}
