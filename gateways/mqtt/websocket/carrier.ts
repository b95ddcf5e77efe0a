/**
 * One client's MQTT over WebSocket: its bytes go on to the shard that has the session, the shard's
 * bytes back, a piece at a time. Neither side is read while the other does not take what came, so
 * nothing gathers here, however long a frame is.
 *
 * @module
 */
import { opcodes } from "../../websocket/wire/frame_head.ts";
import type { ServerSocket } from "../../websocket/wire/server_socket.ts";
import type { Connection } from "../endpoint/link.ts";

/** The part of a WebSocket that is used. */
export type CarriedSocket = Pick<
  ServerSocket,
  "frame" | "piece" | "send" | "close" | "error"
>;

/** Why a carrier ended, as its counter names it. */
export type CarrierEnd = "client" | "session" | "text" | "protocol" | "revoked" | "closed";

/** Largest frame. It is only passed on, so it costs nothing: beyond this it is nonsense. */
export const carriedBytesMax = 64 * 1024 * 1024;
const readBytes = 8 * 1024;

/** Codes of RFC 6455, section 7.4.1. */
const closings: { readonly [end in CarrierEnd]?: readonly [number, string] } = {
  session: [1000, ""],
  text: [1003, "MQTT comes in binary frames"], // [MQTT-6.0.0-1]
  revoked: [1008, "the certificate was revoked"],
  closed: [1001, "the service is shutting down"],
};

/** See the module. */
export class Carrier {
  readonly #socket: CarriedSocket;
  readonly #shard: Connection;
  readonly #ended: (end: CarrierEnd) => void;
  /** The client sends no more. */
  #clientGone = false;
  #revoked = false;
  #over = false;

  constructor(socket: CarriedSocket, shard: Connection, ended: (end: CarrierEnd) => void) {
    this.#socket = socket;
    this.#shard = shard;
    this.#ended = ended;
  }

  /** Carries both ways, to the end. The session says nothing before its client does. */
  start(): void {
    this.#carryOn();
    this.#carryBack().catch(() => {}).then(() =>
      this.#end(this.#revoked ? "revoked" : this.#clientGone ? "client" : "session")
    );
  }

  /** Ends at once. */
  close(): void {
    this.#end("closed");
  }

  /** Its client may not be here any more: its session says so, and ends. */
  revoke(): void {
    this.#revoked = true;
  }

  /** The session of such a client has not ended. */
  cutOff(): void {
    this.#end("revoked");
  }

  async #carryOn(): Promise<void> {
    try {
      // A frame may hold a part of a packet, or several [MQTT-6.0.0-2].
      for (let head; (head = await this.#socket.frame(carriedBytesMax)) !== undefined;) {
        if (head.opcode === opcodes.text) return this.#end("text");
        for (let left = head.length; left > 0;) {
          const piece = await this.#socket.piece();
          if (piece === undefined) return this.#clientLeft();
          for (let at = 0; at < piece.length;) at += await this.#shard.write(piece.subarray(at));
          left -= piece.length;
        }
      }
      this.#clientLeft();
    } catch {
      // A session that takes no more has still something to say, and then it ends.
    }
  }

  /** What it said last still reaches its session. */
  #clientLeft(): void {
    if (this.#over) return;
    if (this.#socket.error !== undefined) return this.#end("protocol");
    this.#clientGone = true;
    this.#shard.closeWrite().catch(() => {});
  }

  async #carryBack(): Promise<void> {
    const into = new Uint8Array(readBytes);
    for (;;) {
      const count = await this.#shard.read(into);
      if (count === null || this.#over) return;
      if (!this.#clientGone) await this.#socket.send(opcodes.binary, into.subarray(0, count));
    }
  }

  #end(end: CarrierEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#shard.close();
    const closing = closings[end];
    if (closing !== undefined) this.#socket.close(...closing);
    this.#ended(end);
  }
}
