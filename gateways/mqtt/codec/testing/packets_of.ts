/**
 * What a server wrote, packet by packet.
 *
 * @module
 */
import { type Packet, readPacket } from "../packet.ts";
import type { ProtocolVersion } from "../packet_type.ts";

/** The packets in `bytes`, which ends with one. */
export function packetsOf(version: ProtocolVersion, bytes: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    let body = at + 1;
    let length = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[body++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    packets.push(readPacket(version, bytes[at]!, bytes, body, body + length));
    at = body + length;
  }
  return packets;
}
