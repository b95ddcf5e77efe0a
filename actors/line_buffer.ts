/**
 * A growing byte buffer that encoders write into: the readings of a commit group become line
 * protocol here, without a string or an object per reading.
 *
 * @module
 */

const utf8 = new TextEncoder();

/** Bytes `0..length` of `bytes` are written. `bytes` is replaced when it grows: do not keep it. */
export class LineBuffer {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 64 * 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends `source[start..end)`. */
  append(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    this.reserve(count);
    if (count > 64) {
      this.bytes.set(source.subarray(start, end), this.length);
      this.length += count;
      return;
    }
    const bytes = this.bytes;
    let at = this.length;
    for (let i = start; i < end; i++) bytes[at++] = source[i]!;
    this.length = at;
  }

  /** Appends text as UTF-8. */
  appendText(text: string): void {
    this.reserve(text.length * 3);
    const { bytes, length } = this;
    if (text.length <= 32) { // shorter than the way to the encoder, as long as it is ASCII
      let at = 0;
      for (let code; at < text.length && (code = text.charCodeAt(at)) < 0x80; at++) {
        bytes[length + at] = code;
      }
      if (at === text.length) {
        this.length = length + at;
        return;
      }
    }
    this.length = length + utf8.encodeInto(text, bytes.subarray(length)).written;
  }

  /** Appends one byte. */
  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }
}
