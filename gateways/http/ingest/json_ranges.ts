/**
 * Finds where the values of a JSON text lie, without making anything of them: an item goes on its
 * way as the bytes that came, so that no digit of a number is lost. What a value holds is checked by
 * the device that gets it.
 *
 * @module
 */

const quote = 0x22, comma = 0x2c, colon = 0x3a, backslash = 0x5c;
const bracketOpen = 0x5b, bracketClose = 0x5d, braceOpen = 0x7b, braceClose = 0x7d;

/** Where a value lies: `bytes[start..end)`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The first byte from `at` on that is no space. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at])) at++;
  return at;
}

/** Behind the string whose quote is at `at`; -1 when it does not end. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (at++; at < end; at++) {
    if (bytes[at] === backslash) at++;
    else if (bytes[at] === quote) return at + 1;
  }
  return -1;
}

/** Behind the value at `at`; -1 when it does not end. */
export function valueEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  const start = at;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = stringEnd(bytes, at, end);
      if (at < 0 || depth === 0) return at;
    } else if (byte === braceOpen || byte === bracketOpen) {
      depth++;
      at++;
    } else if (byte === braceClose || byte === bracketClose) {
      if (depth === 0) return at > start ? at : -1;
      at++;
      if (--depth === 0) return at;
    } else if (depth === 0 && (byte === comma || isSpace(byte))) {
      return at > start ? at : -1;
    } else at++;
  }
  return depth === 0 && at > start ? at : -1;
}

/** The elements of the array `bytes[start..end)`; `undefined` when it is none. */
export function elements(
  bytes: Uint8Array,
  start: number,
  end: number,
  countMax: number,
): Range[] | "too_many" | undefined {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== bracketOpen) return undefined;
  const ranges: Range[] = [];
  at = skipSpace(bytes, at + 1, end);
  if (bytes[at] === bracketClose) return skipSpace(bytes, at + 1, end) === end ? ranges : undefined;
  while (at < end) {
    const behind = valueEnd(bytes, at, end);
    if (behind < 0) return undefined;
    if (ranges.length === countMax) return "too_many";
    ranges.push({ start: at, end: behind });
    at = skipSpace(bytes, behind, end);
    if (bytes[at] === bracketClose) {
      return skipSpace(bytes, at + 1, end) === end ? ranges : undefined;
    }
    if (bytes[at] !== comma) return undefined;
    at = skipSpace(bytes, at + 1, end);
  }
  return undefined;
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** The text of a string's range; `undefined` when it is no string. */
export function stringAt(bytes: Uint8Array, { start, end }: Range): string | undefined {
  if (bytes[start] !== quote) return undefined;
  try {
    const value: unknown = JSON.parse(strict.decode(bytes.subarray(start, end)));
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the members of the object `bytes[start..end)` lie that are called for; of two of one name
 * the last. `undefined` when it is no object, as far as can be seen.
 */
export function members(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: ReadonlySet<string>,
): Map<string, Range> | undefined {
  const found = new Map<string, Range>();
  const whole = eachMember(bytes, { start, end }, (key, value) => {
    if (wanted.has(key)) found.set(key, value);
  });
  return whole ? found : undefined;
}

/**
 * Calls `visit` with each member of an object in its order; one name may come twice. False when it
 * is no object, as far as can be seen.
 */
export function eachMember(
  bytes: Uint8Array,
  { start, end }: Range,
  visit: (key: string, value: Range) => void,
): boolean {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== braceOpen) return false;
  at = skipSpace(bytes, at + 1, end);
  if (bytes[at] === braceClose) return true;
  while (at < end && bytes[at] === quote) {
    const keyEnd = stringEnd(bytes, at, end);
    if (keyEnd < 0) return false;
    const key = stringAt(bytes, { start: at, end: keyEnd });
    if (key === undefined) return false; // No JSON; to find out costs much, so once does.
    at = skipSpace(bytes, keyEnd, end);
    if (bytes[at] !== colon) return false;
    at = skipSpace(bytes, at + 1, end);
    const behind = valueEnd(bytes, at, end);
    if (behind < 0) return false;
    visit(key, { start: at, end: behind });
    at = skipSpace(bytes, behind, end);
    if (bytes[at] === braceClose) return true;
    if (bytes[at] !== comma) return false;
    at = skipSpace(bytes, at + 1, end);
  }
  return false;
}
