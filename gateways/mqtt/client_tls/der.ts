/**
 * Elements of DER as views, for what is too long to be made objects of.
 *
 * @module
 */

/** One element: `content` within `whole`. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** The elements in these bytes. @throws {TypeError} when they do not fill them. */
export function* derElements(bytes: Uint8Array): Generator<DerElement> {
  for (let at = 0; at < bytes.length;) {
    let start = at + 2;
    let length = bytes[at + 1] ?? 0;
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f;
      if (lengthBytes === 0 || lengthBytes > 4) throw damaged();
      length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[start + i] ?? 0);
      start += lengthBytes;
    }
    const end = start + length;
    if (end > bytes.length) throw damaged();
    yield { tag: bytes[at]!, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
    at = end;
  }
}

/** `1.2.840.…`. */
export function objectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc % 40);
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

/** A certificate's number in hex, without the zeros that make it positive. */
export const serialText = (content: Uint8Array): string =>
  content.toHex().replace(/^(?:00)+(?=..)/, "");

/** ms since the epoch, of a time as RFC 5280, section 4.1.2.5, has it: in UTC, with seconds. */
export function derTime({ tag, content }: DerElement): number {
  const text = String.fromCharCode(...content);
  const digits = tag === derTags.generalizedTime ? text : (text < "50" ? "20" : "19") + text;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw damaged();
  return ms;
}

export const damaged = (): TypeError => new TypeError("Cannot read DER: it is damaged");
