/**
 * Finds the packets in a stream of bytes. It holds no bytes itself: the caller keeps what is left,
 * reads more behind it and scans again. PUBLISH and the four acknowledgements, which are nearly
 * all of the traffic, are handed over without an object per packet.
 *
 * @module
 */
import {
  type AcknowledgementKind,
  acknowledgementKind,
  readAcknowledgement,
} from "./acknowledgement.ts";
import { readConnect } from "./connect.ts";
import { type ControlPacket, readControlPacket } from "./packet.ts";
import {
  checkFlags,
  packetTypes,
  type ProtocolVersion,
  receivableTypes,
  type Role,
} from "./packet_type.ts";
import { noProperties } from "./properties.ts";
import type { Properties } from "./property_table.ts";
import { malformed, ProtocolError, violation } from "./protocol_error.ts";
import { PublishView } from "./publish.ts";
import { PacketReader } from "./reader.ts";
import { reasonCodes } from "./reason_code.ts";

/** Of all scanners: a view is good until the next PUBLISH is read. */
const view = new PublishView();

/**
 * Takes packets in their order. `false` means not taken: the scan stops before the packet, and a
 * later scan hands it over again.
 */
export interface PacketHandler {
  /** The view and the bytes it points into are valid during the call only. */
  publish(view: PublishView): boolean;
  acknowledged(
    kind: AcknowledgementKind,
    packetId: number,
    reasonCode: number,
    properties: Properties,
  ): boolean;
  packet(packet: ControlPacket): boolean;
}

/**
 * One direction of one connection.
 *
 * @example
 * ```ts
 * import { encodePacket } from "./packet.ts";
 * import { noProperties } from "./properties.ts";
 * import { type PacketHandler, PacketScanner } from "./scanner.ts";
 * import assert from "node:assert/strict";
 *
 * const acknowledged: number[] = [];
 * const handler: PacketHandler = {
 *   publish: () => true,
 *   acknowledged: (_kind, packetId) => acknowledged.push(packetId) > 0,
 *   packet: () => true,
 * };
 * const scanner = new PacketScanner("client", handler, { version: 4, packetBytesMax: 1024 });
 *
 * const puback = { kind: "puback", packetId: 7, reasonCode: 0, properties: noProperties } as const;
 * const bytes = encodePacket(puback, 4);
 * assert.equal(scanner.scan(bytes, 0, 3), 0); // not whole yet
 * assert.equal(scanner.missingBytes, 1);
 * assert.equal(scanner.scan(bytes, 0, 4), 4);
 * assert.deepEqual(acknowledged, [7]);
 * ```
 */
export class PacketScanner {
  /** Largest packet that is taken, fixed header included. */
  packetBytesMax: number;
  /** After a scan: how many bytes the last packet lacks at least; 0 when the scan ended on a packet. */
  missingBytes = 0;
  /** Packets that were taken. Whoever counts them sets it back. */
  taken = 0;
  readonly #role: Role;
  readonly #handler: PacketHandler;
  #version: ProtocolVersion | undefined;
  /** Bit per packet type that may come now. */
  #accepts: number;

  /** A server leaves `version` out: CONNECT tells it, and nothing else may come first. */
  constructor(
    role: Role,
    handler: PacketHandler,
    options: { readonly version?: ProtocolVersion; readonly packetBytesMax: number },
  ) {
    this.#role = role;
    this.#handler = handler;
    this.packetBytesMax = options.packetBytesMax;
    this.#version = options.version;
    this.#accepts = options.version === undefined
      ? 1 << packetTypes.connect
      : receivableTypes(role, options.version);
  }

  /** `undefined` until a CONNECT was taken. */
  get version(): ProtocolVersion | undefined {
    return this.#version;
  }

  /**
   * Hands over the whole packets in `bytes[start..end)` and returns the offset just past the last
   * one that was taken. Throws a `ProtocolError`, after which the connection is beyond repair.
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    this.missingBytes = 0;
    while (at < end) {
      const first = bytes[at]!;
      const type = first >> 4;
      if ((this.#accepts & (1 << type)) === 0) throw this.#unexpected(type);
      if (type !== packetTypes.publish) checkFlags(type, first & 0x0f);
      const body = bodyOffset(bytes, at + 1, end);
      if (body < 0) {
        this.missingBytes = 1;
        break;
      }
      // Before MQTT 5 a length may be written longer than it need be, and some devices do.
      if (body - at > 2 && bytes[body - 1] === 0 && this.#version === 5) throw padded();
      const next = body + remainingLength(bytes, at + 1, body);
      if (next - at > this.packetBytesMax) {
        throw new ProtocolError(
          reasonCodes.packetTooLarge,
          `a packet of ${next - at} bytes, where ${this.packetBytesMax} are allowed`,
          "MQTT-3.2.2-15",
        );
      }
      if (next > end) {
        this.missingBytes = next - end;
        break;
      }
      if (!this.#hand(first, type, bytes, body, next)) break;
      at = next;
      this.taken++;
    }
    return at;
  }

  #hand(first: number, type: number, bytes: Uint8Array, start: number, end: number): boolean {
    const version = this.#version;
    if (version === undefined) return this.#handConnect(bytes, start, end);
    if (type === packetTypes.publish) {
      view.read(version, first & 0x0f, bytes, start, end);
      return this.#handler.publish(view);
    }
    if (type < packetTypes.puback || type > packetTypes.pubcomp) {
      const reader = new PacketReader(bytes, start, end);
      return this.#handler.packet(readControlPacket(type, reader, version));
    }
    const kind = acknowledgementKind(type);
    if (end - start === 2) {
      const packetId = (bytes[start]! << 8) | bytes[start + 1]!;
      if (packetId === 0) throw malformed("packet identifier 0", "MQTT-2.2.1-3");
      return this.#handler.acknowledged(kind, packetId, reasonCodes.success, noProperties);
    }
    const read = readAcknowledgement(new PacketReader(bytes, start, end), kind, version);
    return this.#handler.acknowledged(kind, read.packetId, read.reasonCode, read.properties);
  }

  #handConnect(bytes: Uint8Array, start: number, end: number): boolean {
    const connect = readConnect(new PacketReader(bytes, start, end));
    if (!this.#handler.packet(connect)) return false;
    this.#version = connect.version;
    // A second CONNECT is a protocol error [MQTT-3.1.0-2].
    this.#accepts = receivableTypes(this.#role, connect.version) & ~(1 << packetTypes.connect);
    return true;
  }

  #unexpected(type: number): ProtocolError {
    if (this.#version === undefined) {
      return violation(`packet type ${type} where CONNECT must come first`, "MQTT-3.1.0-1");
    }
    return type === packetTypes.connect
      ? violation("a second CONNECT", "MQTT-3.1.0-2")
      : violation(`packet type ${type} at a ${this.#role}`, "MQTT-4.13.1-1");
  }
}

/** Where the body begins behind the length at `at`; -1 when the length is not whole yet. */
function bodyOffset(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    if (bytes[i]! < 0x80) return i + 1;
    if (i === at + 3) throw malformed("a remaining length of more than four bytes", "MQTT-1.5.5-1");
  }
  return -1;
}

function padded(): ProtocolError {
  return malformed("a remaining length in more bytes than it needs", "MQTT-1.5.5-1");
}

function remainingLength(bytes: Uint8Array, at: number, end: number): number {
  let length = 0;
  for (let i = at, shift = 0; i < end; i++, shift += 7) length |= (bytes[i]! & 0x7f) << shift;
  return length;
}
