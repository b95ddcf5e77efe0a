/**
 * The grammar of JSON on bytes: finds where a value ends, strictly, without making anything of it.
 * Every method returns the offset behind what it read, or a negative {@linkcode fault}.
 *
 * @module
 */

/** What a scan can end with instead of an offset. */
export const fault = {
  malformed: -1,
  tooDeep: -2,
  tooManyFields: -3,
  unwritableName: -4,
} as const;

export const char = {
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  bracketOpen: 0x5b,
  backslash: 0x5c,
  bracketClose: 0x5d,
  e: 0x65,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  u: 0x75,
  braceOpen: 0x7b,
  braceClose: 0x7d,
} as const;

const ascii = new TextEncoder();
const literals: Readonly<Record<number, Uint8Array>> = {
  [char.t]: ascii.encode("true"),
  [char.f]: ascii.encode("false"),
  [char.n]: ascii.encode("null"),
};
/** What may follow a backslash, `u` aside. */
const escapes = ascii.encode(`"\\/bfnrt`);
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

export const isSpace = (byte: number | undefined): boolean =>
  byte! <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);

export const startsNumber = (byte: number | undefined): boolean =>
  byte === char.minus || (byte! >= char.zero && byte! <= char.nine);

const isHex = (byte: number): boolean =>
  (byte >= char.zero && byte <= char.nine) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

export function isUtf8(data: Uint8Array): boolean {
  try {
    strict.decode(data);
    return true;
  } catch {
    // The answer itself: the decoder has no other way to tell.
    return false;
  }
}

/** The text of `data[from..to)`, the inside of a JSON string that the scanner accepted. */
export function stringText(data: Uint8Array, from: number, to: number): string {
  const text = lenient.decode(data.subarray(from, to));
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

/** Reads one payload; remembers what matters of the strings in it. */
export class JsonText {
  data: Uint8Array = new Uint8Array(0);
  /** All bytes of strings, or-ed: from 128 on, there was something beyond ASCII. */
  bits = 0;
  /** Whether the string read last holds escapes. */
  escaped = false;

  space(at: number): number {
    while (isSpace(this.data[at])) at++;
    return at;
  }

  /** From behind the opening quote. */
  string(at: number): number {
    const data = this.data;
    let bits = 0;
    this.escaped = false;
    for (;;) {
      const byte = data[at];
      if (byte === char.quote) break;
      if (byte === undefined || byte < 0x20) return fault.malformed;
      bits |= byte;
      at++;
      if (byte !== char.backslash) continue;
      this.escaped = true;
      const escape = data[at++];
      if (escape === char.u) {
        for (let i = 0; i < 4; i++, at++) if (!isHex(data[at] ?? 0)) return fault.malformed;
      } else if (escape === undefined || !escapes.includes(escape)) {
        return fault.malformed;
      }
    }
    this.bits |= bits;
    return at + 1;
  }

  /** `true`, `false` or `null`. */
  literal(at: number): number {
    const literal = literals[this.data[at] ?? 0];
    if (literal === undefined) return fault.malformed;
    for (const byte of literal) if (this.data[at++] !== byte) return fault.malformed;
    return at;
  }

  number(at: number): number {
    const data = this.data;
    if (data[at] === char.minus) at++;
    const first = at;
    at = this.#digits(at);
    if (at === first || (data[first] === char.zero && at > first + 1)) return fault.malformed;
    if (data[at] === char.dot) {
      const start = at + 1;
      at = this.#digits(start);
      if (at === start) return fault.malformed;
    }
    return this.exponent(at);
  }

  /** The exponent of a number, if there is one. */
  exponent(at: number): number {
    const data = this.data;
    if ((data[at]! | 0x20) !== char.e) return at;
    at++;
    if (data[at] === char.minus || data[at] === char.plus) at++;
    const end = this.#digits(at);
    return end === at ? fault.malformed : end;
  }

  #digits(at: number): number {
    const data = this.data;
    while (data[at]! >= char.zero && data[at]! <= char.nine) at++;
    return at;
  }

  /** Any value; `depth` is that of what holds it. */
  skip(at: number, depth: number, depthMax: number): number {
    const byte = this.data[at];
    if (byte === char.quote) return this.string(at + 1);
    if (startsNumber(byte)) return this.number(at);
    if (byte === char.braceOpen) return this.#members(at + 1, depth + 1, depthMax, char.braceClose);
    if (byte === char.bracketOpen) {
      return this.#members(at + 1, depth + 1, depthMax, char.bracketClose);
    }
    return this.literal(at);
  }

  /** The inside of an object or array, up to behind its `close`. */
  #members(at: number, depth: number, depthMax: number, close: number): number {
    if (depth > depthMax) return fault.tooDeep;
    const data = this.data;
    at = this.space(at);
    if (data[at] === close) return at + 1;
    for (;;) {
      if (close === char.braceClose) {
        if (data[at] !== char.quote) return fault.malformed;
        at = this.string(at + 1);
        if (at < 0) return at;
        at = this.space(at);
        if (data[at] !== char.colon) return fault.malformed;
        at = this.space(at + 1);
      }
      at = this.skip(at, depth, depthMax);
      if (at < 0) return at;
      at = this.space(at);
      if (data[at] === close) return at + 1;
      if (data[at] !== char.comma) return fault.malformed;
      at = this.space(at + 1);
    }
  }
}
