/**
 * What a client says when it closes (RFC 6455, sections 5.5.1 and 7.4).
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { WireError } from "./frame_head.ts";

/** Codes that may stand in a frame. 1004 to 1006 and 1015 are for programs among themselves. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
    (code >= 3000 && code <= 4999);
}

/** The code, if there is one. @throws {WireError} when the payload is not as it must be. */
export function closeCodeOf(payload: Uint8Array): number | undefined {
  if (payload.length === 0) return undefined;
  const code = payload.length === 1 ? 0 : payload[0]! << 8 | payload[1]!;
  if (!mayBeSent(code)) throw new WireError(1002, "a close frame has a code that may be sent");
  if (!isUtf8(payload.subarray(2))) throw new WireError(1007, "a reason is UTF-8");
  return code;
}
