/**
 * Frames as the service sends them: whole, unmasked (RFC 6455, section 5.1).
 *
 * @module
 */
import { controlBytesMax, opcodes } from "./frame_head.ts";

/** One frame. */
export function frameBytes(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + lengthBytes + length);
  frame[0] = 0x80 | opcode;
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  for (let at = 1 + lengthBytes, rest = length; at > 1; at--) {
    if (lengthBytes > 0) frame[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  frame.set(payload, 2 + lengthBytes);
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
