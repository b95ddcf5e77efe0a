/**
 * Reads line protocol where it lies: a cursor over the bytes of one line, which yields offsets and
 * values and makes no string on the way. The counterpart of the encoder in
 * `actors/line_protocol.ts`; it takes any valid line that carries a time.
 *
 * Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A line that is not line protocol. The message says what was expected, and where in the line. */
export class LineSyntaxError extends Error {
  override readonly name = "LineSyntaxError";
}

/**
 * A field's value: a float is a number, an integer (`1i`, `1u`) a bigint, a boolean a byte.
 * Booleans are bytes because SQLite has none, and so they stay apart from numbers.
 */
export type FieldValue = number | bigint | string | Uint8Array;

const trueByte = Uint8Array.of(1);
const falseByte = Uint8Array.of(0);
const booleans = new Map<string, Uint8Array>([
  ...["t", "T", "true", "True", "TRUE"].map((word) => [word, trueByte] as const),
  ...["f", "F", "false", "False", "FALSE"].map((word) => [word, falseByte] as const),
]);
const int64Max = 2n ** 63n - 1n;
/** Up to here both the digits and the power of ten are exact (Clinger): one division is right. */
const exactDigits = 15;
const powersOfTen = Float64Array.from({ length: exactDigits + 1 }, (_, i) => 10 ** i);

const space = 0x20, quote = 0x22, comma = 0x2c, minus = 0x2d, dot = 0x2e;
const zero = 0x30, equals = 0x3d, backslash = 0x5c, newline = 0x0a;

/** A position in one line: key, then fields while {@linkcode LineCursor.field} says so, then time. */
export class LineCursor {
  at = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Begins at the line that starts at `start`; it ends at a newline or at `end`. */
  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.at = start;
  }

  /**
   * Steps over `name` and the byte after it, when both stand here exactly. `name` holds one byte
   * a character. This is how a known series or field is recognised without scanning it.
   */
  skip(name: string, after: number): boolean {
    const bytes = this.#bytes, at = this.at, length = name.length;
    if (at + length >= this.#end || bytes[at + length] !== after) return false;
    for (let i = 0; i < length; i++) {
      if (bytes[at + i] !== name.charCodeAt(i)) return false;
    }
    this.at = at + length + 1;
    return true;
  }

  /** Measurement and tags, still escaped, one byte a character; steps over the space after them. */
  key(): string {
    return this.#name(space, "measurement");
  }

  /** The name of a field, still escaped, one byte a character; steps over the `=` after it. */
  fieldName(): string {
    return this.#name(equals, "field");
  }

  /** The value of a field. Afterwards {@linkcode LineCursor.more} says what follows. */
  value(): FieldValue {
    if (this.#bytes[this.at] === quote) return this.#text();
    return this.#decimal() ?? this.#word();
  }

  /** Steps over what follows a value: true for another field, false for the time. */
  more(): boolean {
    const byte = this.at < this.#end ? this.#bytes[this.at] : newline;
    if (byte !== comma && byte !== space) this.#fail("a comma or the time");
    this.at++;
    return byte === comma;
  }

  /** The time in ns; steps over the end of the line. */
  time(): bigint {
    const bytes = this.#bytes, negative = bytes[this.at] === minus;
    let at = negative ? this.at + 1 : this.at;
    const first = at;
    let high = 0, low = 0;
    // Nine digits of the end fit a number, and so does what stands before them.
    let stop = at;
    while (stop < this.#end && isDigit(bytes[stop]!)) stop++;
    if (stop === first || stop - first > 19) this.#fail("a time of at most 19 digits");
    for (; at < stop - 9; at++) high = high * 10 + bytes[at]! - zero;
    for (; at < stop; at++) low = low * 10 + bytes[at]! - zero;
    this.at = stop;
    if (stop < this.#end && bytes[stop] !== newline) this.#fail("the end of the line");
    this.at = Math.min(stop + 1, this.#end);
    const ns = BigInt(high) * 1_000_000_000n + BigInt(low);
    if (ns > int64Max) this.#fail("a time that fits 64 bits");
    return negative ? -ns : ns;
  }

  /** Up to an unescaped `stop`; a byte is escaped by an odd run of backslashes before it. */
  #name(stop: number, what: string): string {
    const bytes = this.#bytes, start = this.at;
    let slashes = 0;
    for (let at = start; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === newline) break;
      if (byte === stop && slashes % 2 === 0) {
        if (at === start) break;
        this.at = at + 1;
        return bytes.toString("latin1", start, at);
      }
      slashes = byte === backslash ? slashes + 1 : 0;
    }
    return this.#fail(`a ${what} and then "${String.fromCharCode(stop)}"`);
  }

  #text(): string {
    const bytes = this.#bytes;
    let escapes = false;
    for (let at = this.at + 1; at < this.#end; at++) {
      const byte = bytes[at];
      if (byte === backslash && (bytes[at + 1] === quote || bytes[at + 1] === backslash)) {
        escapes = true;
        at++;
      } else if (byte === quote) {
        const text = bytes.toString("utf8", this.at + 1, at);
        this.at = at + 1;
        return escapes ? text.replace(/\\(["\\])/g, "$1") : text;
      }
    }
    return this.#fail("a closing quote");
  }

  /** Sign, digits, fraction: the common number. Anything else is left to `#word`. */
  #decimal(): number | undefined {
    const bytes = this.#bytes, end = this.#end;
    let at = this.at;
    const negative = bytes[at] === minus;
    if (negative) at++;
    const first = at;
    let mantissa = 0, point = -1;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === dot && point < 0) point = at;
      else if (isDigit(byte)) mantissa = mantissa * 10 + byte - zero;
      else break;
    }
    const digits = at - first - (point < 0 ? 0 : 1);
    if (digits === 0 || digits > exactDigits) return undefined;
    const byte = at < end ? bytes[at] : newline;
    if (byte !== comma && byte !== space && byte !== newline) return undefined;
    const value = point < 0 ? mantissa : mantissa / powersOfTen[at - point - 1]!;
    this.at = at;
    return negative ? -value : value;
  }

  /** Booleans, integers, and numbers that are long or have an exponent. */
  #word(): FieldValue {
    const bytes = this.#bytes;
    let at = this.at;
    while (at < this.#end && bytes[at] !== comma && bytes[at] !== space && bytes[at] !== newline) {
      at++;
    }
    const word = bytes.toString("latin1", this.at, at);
    const value = booleans.get(word) ?? integerIn(word) ?? floatIn(word);
    if (value === undefined) return this.#fail("a value");
    this.at = at;
    return value;
  }

  #fail(expected: string): never {
    const line = this.#bytes.toString("utf8", this.#start, Math.min(this.#end, this.#start + 200));
    throw new LineSyntaxError(
      `expected ${expected} at byte ${this.at - this.#start} of ${JSON.stringify(line)}`,
    );
  }
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= 0x39;
}

function integerIn(word: string): bigint | undefined {
  if (!/^(-?\d{1,19}i|\d{1,20}u)$/.test(word)) return undefined;
  const value = BigInt(word.slice(0, -1));
  // SQLite has no unsigned integers: those above the signed range are not taken.
  return value <= int64Max && value >= -int64Max - 1n ? value : undefined;
}

function floatIn(word: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) return undefined;
  const value = Number(word);
  return Number.isFinite(value) ? value : undefined;
}
