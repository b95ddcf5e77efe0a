/**
 * Reads MQTT's primitive types from one packet, never past its end.
 *
 * @module
 */
import { malformed } from "./protocol_error.ts";
import { asciiText } from "./text.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A cursor over `bytes[at..end)`. Every method throws a `ProtocolError` when the packet is too short. */
export class PacketReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at === this.end;
  }

  byte(): number {
    return this.bytes[this.#take(1)]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** Variable byte integer: as few bytes as it needs, four at most [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (byte === 0 && shift > 0) {
        throw malformed("a variable byte integer in more bytes than it needs", "MQTT-1.5.5-1");
      }
      return value;
    }
    throw malformed("a variable byte integer of more than four bytes", "MQTT-1.5.5-1");
  }

  /** UTF-8 string: well-formed, without U+0000; a BOM is kept [MQTT-1.5.4-3]. */
  text(): string {
    const length = this.uint16();
    const at = this.#take(length);
    const ascii = asciiText(this.bytes, at, at + length);
    if (ascii !== undefined) return ascii;
    let text: string;
    try {
      text = utf8.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw malformed("a string that is not UTF-8", "MQTT-1.5.4-1");
    }
    if (text.includes("\0")) throw malformed("a string with U+0000", "MQTT-1.5.4-2");
    return text;
  }

  /** Binary data, copied: the read buffer is used again. */
  binary(): Uint8Array {
    return this.take(this.uint16());
  }

  /** The next `count` bytes, copied. */
  take(count: number): Uint8Array {
    const at = this.#take(count);
    return this.bytes.slice(at, at + count);
  }

  /** Packet identifier: never 0 [MQTT-2.2.1-3]. */
  packetId(): number {
    const id = this.uint16();
    if (id === 0) throw malformed("packet identifier 0", "MQTT-2.2.1-3");
    return id;
  }

  /** Refuses bytes after the last field. */
  finish(): void {
    if (this.at !== this.end) throw malformed(`${this.end - this.at} bytes too many`, "MQTT-2.1.4");
  }

  #take(count: number): number {
    const at = this.at;
    if (at + count > this.end) throw malformed("a packet that ends within a field", "MQTT-2.1.4");
    this.at = at + count;
    return at;
  }
}
