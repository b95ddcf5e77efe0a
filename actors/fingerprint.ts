/**
 * 64-bit fingerprints of readings, as two 32-bit halves: fast, well spread, not secret. A device's
 * readings are only compared with its own, so who makes collisions harms only himself.
 *
 * @module
 */

const multiplierA = 0x9e3779b1;
const multiplierB = 0x85ebca77;
const multiplierC = 0xc2b2ae3d;

/** Spreads every bit of a 32-bit number over all of it (murmur3's finalizer). */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 32-bit FNV-1a of `data[start..end)`, then {@linkcode mix}. The same in every shard and run. */
export function hashBytes(data: Uint8Array, start: number, end: number, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  return mix(hash);
}

const utf8 = new TextEncoder();
/** Room for the UTF-8 of most texts. */
const textBytes = new Uint8Array(1_024);

/** {@linkcode hashBytes} of the text's UTF-8. */
export function hashText(text: string): number {
  const bytes = 3 * text.length > textBytes.length ? utf8.encode(text) : textBytes;
  const length = bytes === textBytes ? utf8.encodeInto(text, bytes).written : bytes.length;
  return hashBytes(bytes, 0, length);
}

/** Computes fingerprints; reusable, the result is in `hi` and `lo`; (0, 0) means none. */
export class Fingerprint {
  hi = 0;
  lo = 0;
  #data: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#data.buffer);

  /** Of nothing: a reading that cannot be told from another. */
  clear(): void {
    this.hi = 0;
    this.lo = 0;
  }

  /** Of `data[start..end)` and two numbers that say where it comes from. */
  of(data: Uint8Array, start: number, end: number, seedA: number, seedB: number): void {
    if (data !== this.#data) {
      this.#data = data;
      this.#view = new DataView(data.buffer, data.byteOffset, data.length);
    }
    const view = this.#view;
    let a = seedA ^ (end - start);
    let b = seedB;
    for (let at = start; at < end; at += 4) {
      const bytes = at + 4 <= end ? view.getUint32(at, true) : rest(data, at, end);
      // As murmur3's 128-bit form: the word is spread before it meets a state.
      const word = Math.imul(bytes, multiplierA);
      const spread = (word << 15) | (word >>> 17);
      a ^= Math.imul(spread, multiplierB);
      a = (a << 19) | (a >>> 13);
      a = (Math.imul(a + b, 5) + 0x561ccd1b) | 0;
      b ^= Math.imul((word << 16) | (word >>> 16), multiplierC);
      b = (b << 17) | (b >>> 15);
      b = (Math.imul(b + a, 5) + 0x0bcaa747) | 0;
    }
    // One to one, so that nothing of the two states is lost.
    this.hi = mix(a ^ (b >>> 7));
    this.lo = mix(b ^ a);
    if (this.hi === 0 && this.lo === 0) this.lo = 1;
  }
}

/** The last bytes of a payload, fewer than four, as one word. */
function rest(data: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (; at < end; at++) word = (word << 8) | data[at]!;
  return word;
}
