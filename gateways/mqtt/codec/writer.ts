/**
 * Writes MQTT's primitive types and packs packets one after the other into one buffer, so that many
 * go out in one write.
 *
 * @module
 */

const utf8 = new TextEncoder();

/** The largest variable byte integer. */
export const varintMax = 268_435_455;

/**
 * A growing buffer: `bytes[0..length)` is written. Wrong arguments throw a `RangeError`; then
 * `length` may be past the last whole packet.
 */
export class PacketWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint16(value: number): void {
    if (value < 0 || value > 0xffff) throw new RangeError(`Cannot write ${value} as two bytes`);
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  uint32(value: number): void {
    if (value < 0 || value > 0xffff_ffff) {
      throw new RangeError(`Cannot write ${value} as four bytes`);
    }
    this.uint16(Math.floor(value / 0x1_0000));
    this.uint16(value % 0x1_0000);
  }

  varint(value: number): void {
    if (value < 0 || value > varintMax) {
      throw new RangeError(`Cannot write ${value} as a variable byte integer`);
    }
    this.reserve(4);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = rest | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  text(value: string): void {
    this.reserve(2 + value.length * 3);
    const { written } = utf8.encodeInto(value, this.bytes.subarray(this.length + 2));
    this.uint16(written);
    this.length += written;
  }

  binary(value: Uint8Array): void {
    this.uint16(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  packetId(value: number): void {
    if (value < 1) throw new RangeError(`Cannot use ${value} as a packet identifier`);
    this.uint16(value);
  }

  /** Starts a part that its own length precedes; the answer goes to {@linkcode closeLength}. */
  openLength(): number {
    this.byte(0);
    return this.length;
  }

  /** Puts the length before the part, which moves up when the length needs more than one byte. */
  closeLength(start: number): void {
    const count = this.length - start;
    if (count > varintMax) throw new RangeError(`Cannot write ${count} bytes as one packet`);
    const more = count < 0x80 ? 0 : count < 0x4000 ? 1 : count < 0x20_0000 ? 2 : 3;
    if (more > 0) {
      this.reserve(more);
      this.bytes.copyWithin(start + more, start, this.length);
    }
    this.length = start - 1;
    this.varint(count);
    this.length += count;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
