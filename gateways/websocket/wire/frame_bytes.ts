/**
 * Frames as this side sends them: whole, and masked where it is the client (RFC 6455, section 5).
 *
 * @module
 */
import { controlBytesMax, opcodes } from "./frame_head.ts";

/** One frame. `mask` is a client's, four bytes that nobody can guess. */
export function frameBytes(
  opcode: number,
  payload: Uint8Array,
  mask?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = 2 + lengthBytes;
  const start = head + (mask?.length ?? 0);
  const frame = new Uint8Array(start + length);
  frame[0] = 0x80 | opcode;
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  for (let at = head - 1, rest = length; at > 1; at--) {
    frame[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  frame.set(payload, start);
  if (mask === undefined) return frame;
  frame[1]! |= 0x80;
  frame.set(mask, head);
  for (let i = 0; i < length; i++) frame[start + i]! ^= mask[i & 3]!;
  return frame;
}

const encoder = new TextEncoder();

/** A close frame; a reason that is too long is cut. */
export function closeFrame(code: number | undefined, reason = ""): Uint8Array<ArrayBuffer> {
  if (code === undefined) return frameBytes(opcodes.close, new Uint8Array(0));
  const payload = new Uint8Array(controlBytesMax);
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  return frameBytes(opcodes.close, payload.subarray(0, 2 + written));
}
