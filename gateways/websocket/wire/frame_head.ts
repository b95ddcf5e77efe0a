/**
 * The head of a frame (RFC 6455, section 5.2), checked before any of its payload is read: what is
 * refused is refused for what it announces.
 *
 * @module
 */

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface FrameHead {
  /** Of {@linkcode opcodes}. */
  readonly opcode: number;
  /** The last frame of its message. */
  readonly final: boolean;
  /** Bytes of the payload. */
  readonly length: number;
  /** Where the payload's four bytes of mask begin, if it is a client's. */
  readonly maskAt: number;
  /** Where the payload begins. */
  readonly end: number;
}

/** Codes that end a connection (RFC 6455, section 7.4.1). */
export type WireCode = 1002 | 1007 | 1008 | 1009 | 1013;

/** What the other end sent is not as it must be. The message is the reason that it is told. */
export class WireError extends Error {
  override name = "WireError";

  constructor(readonly code: WireCode, reason: string) {
    super(reason);
  }
}

export const controlBytesMax = 125;

const knownOpcodes: ReadonlySet<number> = new Set(Object.values(opcodes));
const protocolError = (reason: string): WireError => new WireError(1002, reason);

/**
 * The head at `start` of what `from` has sent; `undefined` when some of it is still to come.
 * `bytesMax` is for the payload of a data frame.
 *
 * @throws {WireError} as soon as it is seen that the frame is not allowed.
 *
 * @example
 * ```ts
 * import { frameHead } from "./frame_head.ts";
 * import assert from "node:assert/strict";
 *
 * const ping = new Uint8Array([0x89, 0x80, 1, 2, 3, 4]);
 * assert.equal(frameHead(ping, 0, ping.length, 1_000)?.opcode, 9);
 * assert.equal(frameHead(ping, 0, 3, 1_000), undefined);
 * ```
 */
export function frameHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  bytesMax: number,
  from: "client" | "server" = "client",
): FrameHead | undefined {
  if (end - start < 2) return undefined;
  const first = bytes[start]!;
  const second = bytes[start + 1]!;
  const opcode = first & 0x0f;
  const final = (first & 0x80) !== 0;
  if ((first & 0x70) !== 0) {
    throw protocolError("a reserved bit is set, and no extension is in use");
  }
  if (!knownOpcodes.has(opcode)) throw protocolError("an opcode that is none");
  if ((second & 0x80) === 0 && from === "client") throw protocolError("a client masks its frames");
  if ((second & 0x80) !== 0 && from === "server") throw protocolError("a server masks no frames");
  const short = second & 0x7f;
  if (opcode >= opcodes.close && (!final || short > controlBytesMax)) {
    throw protocolError("a control frame is whole and has 125 bytes at most");
  }
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const maskAt = start + 2 + lengthBytes;
  if (end < maskAt) return undefined;
  let length = short;
  if (lengthBytes > 0) {
    if (lengthBytes === 8 && bytes[start + 2]! > 0x7f) {
      throw protocolError("a length has 63 bits at most");
    }
    length = 0;
    for (let at = start + 2; at < maskAt; at++) length = length * 256 + bytes[at]!;
    if (length < 126 || (lengthBytes === 8 && length < 65_536)) {
      throw protocolError("a length has as few bytes as it needs");
    }
  }
  if (opcode < opcodes.close && length > bytesMax) {
    throw new WireError(1009, "the message is larger than is taken here");
  }
  const headEnd = maskAt + (from === "client" ? 4 : 0);
  if (end < headEnd) return undefined;
  return { opcode, final, length, maskAt, end: headEnd };
}
