/**
 * One pass over the bytes of a JSON object, which notes the numbers that become fields and the
 * values that were asked for. It accepts exactly what `JSON.parse` accepts (after a strict UTF-8
 * decoder), within limits of depth and of fields; of two equal keys the last one counts. Being one
 * pass, it keeps the digits of a number as they came: a time in ns loses nothing, and a field is
 * copied instead of printed again.
 *
 * Measured against TextDecoder and JSON.parse in device_bench.ts.
 *
 * Reading past the payload's end does no harm: the object must have been closed before it.
 *
 * @module
 */
import type { FieldName, KeyNode, KeyTree } from "./decode_keys.ts";
import { captureKinds, type Decoded } from "./decode_result.ts";
import {
  char,
  fault,
  isSpace,
  isUtf8,
  JsonText,
  startsNumber,
  stringText,
} from "./flat_json_text.ts";
import { isJsonNumber } from "./json_number.ts";
import { quoteText } from "./line_protocol.ts";

/** Why a payload is not taken; `none` when it is. */
export type ScanFault =
  | "none"
  | "malformed"
  | "too_deep"
  | "too_many_fields"
  | "unwritable_name";

const faults: readonly ScanFault[] = [
  "none",
  "malformed",
  "too_deep",
  "too_many_fields",
  "unwritable_name",
];

/** What becomes of values that are not numbers. */
export interface ValueRules {
  /** `number`: 1 and 0. */
  readonly booleans: "omit" | "number" | "boolean";
  /** `number`: when the text is a JSON number. */
  readonly strings: "omit" | "number" | "text";
}

/** So many digits fit 31 bits. */
const smallDigits = 9;
/**
 * So many digits fit the 53 bits of a double, and the power of ten is exact: one division rounds
 * right (Clinger).
 */
const exactDigits = 15;
const powersOfTen = Float64Array.from({ length: exactDigits + 1 }, (_, i) => 10 ** i);

/** Longer numbers are written in their shortest form instead. */
const numberBytesMax = 32;

/** Scans the payloads of one route. */
export class FlatJson {
  readonly #keys: KeyTree;
  readonly #out: Decoded;
  readonly #values: ValueRules;
  readonly #depthMax: number;
  readonly #text = new JsonText();
  #keyEnd = 0;
  #required = 0;
  /**
   * Whether what was scanned certainly fits the schema of the `KeyTree`. Unknown is false: so is a
   * payload that has a key twice.
   */
  fits = false;

  constructor(keys: KeyTree, out: Decoded, values: ValueRules, depthMax: number) {
    this.#keys = keys;
    this.#out = out;
    this.#values = values;
    this.#depthMax = depthMax;
  }

  /** Reads `data[start..end)` into the `Decoded`; what that holds counts only after `none`. */
  scan(data: Uint8Array, start: number, end: number): ScanFault {
    const text = this.#text;
    this.#keys.trim();
    this.#out.reset();
    text.data = data;
    text.bits = 0;
    this.fits = true;
    this.#required = 0;
    let at = text.space(start);
    if (at >= end || data[at] !== char.braceOpen) return "malformed";
    at = this.#object(at + 1, this.#keys.root, 1);
    if (at < 0) return faults[-at]!;
    while (at < end && isSpace(data[at])) at++;
    if (at !== end) return "malformed";
    if (this.#required !== this.#keys.required) this.fits = false;
    return text.bits >= 0x80 && !isUtf8(data.subarray(start, end)) ? "malformed" : "none";
  }

  /** From behind `{` to behind `}`, or a fault; so all that follow. */
  #object(at: number, parent: KeyNode, depth: number): number {
    if (depth > this.#depthMax) return fault.tooDeep;
    const { data } = this.#text;
    const { generation } = this.#out;
    let byte = data[at];
    while (isSpace(byte)) byte = data[++at];
    if (byte === char.braceClose) return at + 1;
    let before: KeyNode | undefined;
    let guess = parent.first;
    for (;;) {
      if (byte !== char.quote) return fault.malformed;
      at++;
      let node: KeyNode | undefined;
      if (guess !== undefined) {
        const key = guess.bytes;
        const length = key.length;
        let i = 0;
        while (i < length && key[i] === data[at + i]) i++;
        if (i === length && data[at + i] === char.quote) {
          node = guess;
          at += length + 1;
          if (!node.isAscii) this.#text.bits |= 0x80;
        }
      }
      if (node === undefined) {
        node = this.#findKey(at, parent);
        if (node === undefined) return fault.malformed;
        at = this.#keyEnd;
        if (before === undefined) parent.first = node.plain ? node : undefined;
        else before.next = node.plain ? node : undefined;
      }
      if (node.generation === generation) {
        this.#out.forget(node);
        this.fits = false;
      }
      node.generation = generation;
      byte = data[at];
      while (isSpace(byte)) byte = data[++at];
      if (byte !== char.colon) return fault.malformed;
      byte = data[++at];
      while (isSpace(byte)) byte = data[++at];
      const from = at;
      const { rule } = node;
      if (rule?.required) this.#required++;
      if (startsNumber(byte)) {
        at = this.#number(at, node.field, node);
        if (node.capture >= 0) this.#out.capture(node, captureKinds.number, from, at);
      } else {
        if (rule !== undefined && !rule.fitsOther(byte!)) this.fits = false;
        at = this.#value(at, node, depth);
      }
      if (at < 0) return at;
      byte = data[at];
      while (isSpace(byte)) byte = data[++at];
      if (byte === char.braceClose) return at + 1;
      if (byte !== char.comma) return fault.malformed;
      byte = data[++at];
      while (isSpace(byte)) byte = data[++at];
      before = node;
      guess = node.next;
    }
  }

  /** The node of the key that begins at `at`, behind the quote. */
  #findKey(at: number, parent: KeyNode): KeyNode | undefined {
    const text = this.#text;
    const end = text.string(at);
    if (end < 0) return undefined;
    this.#keyEnd = end;
    return text.escaped
      ? this.#keys.findText(parent, stringText(text.data, at, end - 1))
      : this.#keys.find(parent, text.data, at, end - 1);
  }

  /** A number, as the field of that name if there is one, found at `source`. */
  #number(at: number, name: FieldName | undefined, source: KeyNode): number {
    const { rule } = source;
    if (name === undefined && rule === undefined) return this.#text.number(at);
    if (name?.writable === false) return fault.unwritableName;
    const { data } = this.#text;
    const from = at;
    let byte = data[at]!;
    const negative = byte === char.minus;
    if (negative) byte = data[++at]!;
    const first = at;
    let mantissa = 0;
    while (byte >= char.zero && byte <= char.nine) {
      mantissa = (Math.imul(mantissa, 10) + byte - char.zero) | 0;
      byte = data[++at]!;
    }
    let digits = at - first;
    if (digits === 0 || (digits > 1 && data[first] === char.zero)) return fault.malformed;
    let scale = 0;
    if (byte === char.dot) {
      const start = ++at;
      byte = data[at]!;
      while (byte >= char.zero && byte <= char.nine) {
        mantissa = (Math.imul(mantissa, 10) + byte - char.zero) | 0;
        byte = data[++at]!;
      }
      scale = at - start;
      if (scale === 0) return fault.malformed;
      digits += scale;
    }
    let value: number;
    if (digits <= exactDigits && (byte | 0x20) !== char.e) {
      const whole = digits <= smallDigits ? mantissa : longMantissa(data, first, at);
      const magnitude = scale === 0 ? whole : whole / powersOfTen[scale]!;
      value = negative ? -magnitude : magnitude;
    } else {
      at = this.#text.exponent(at);
      if (at < 0) return at;
      value = Number(stringText(data, from, at));
      if (!Number.isFinite(value)) {
        this.fits = false;
        return at;
      }
    }
    if (rule !== undefined && !rule.fitsNumber(value)) this.fits = false;
    if (name === undefined) return at;
    const taken = at - from <= numberBytesMax
      ? this.#out.addNumber(name, source, value, from, at)
      : this.#out.addText(name, source, value, String(value));
    return taken ? at : fault.tooManyFields;
  }

  /** Any value but a number, as what `node` asks for. */
  #value(at: number, node: KeyNode, depth: number): number {
    const text = this.#text;
    const byte = text.data[at];
    switch (byte) {
      case char.quote: {
        const end = text.string(at + 1);
        if (end < 0) return end;
        if (node.capture >= 0) {
          const kind = text.escaped ? captureKinds.escaped : captureKinds.text;
          this.#out.capture(node, kind, at + 1, end - 1);
        }
        if (node.field === undefined || this.#values.strings === "omit") return end;
        return this.#textField(at + 1, end, node.field, node);
      }
      case char.braceOpen:
        if (node.capture >= 0) this.#out.capture(node, captureKinds.other, at, at);
        return node.open
          ? this.#object(at + 1, node, depth + 1)
          : text.skip(at, depth, this.#depthMax);
      case char.bracketOpen:
        if (node.capture >= 0) this.#out.capture(node, captureKinds.other, at, at);
        return node.elements === undefined
          ? text.skip(at, depth, this.#depthMax)
          : this.#elements(at + 1, node, node.elements, depth + 1);
      default: {
        const end = text.literal(at);
        if (end < 0) return end;
        const kind = byte === char.n ? captureKinds.other : captureKinds.boolean;
        if (node.capture >= 0) this.#out.capture(node, kind, at, end);
        return node.field === undefined || byte === char.n || this.#values.booleans === "omit"
          ? end
          : this.#booleanField(byte === char.t, end, node.field, node);
      }
    }
  }

  /** A boolean that ends at `end` as a field. */
  #booleanField(value: boolean, end: number, name: FieldName, source: KeyNode): number {
    const number = value ? 1 : 0;
    const text = this.#values.booleans === "number" ? String(number) : String(value);
    return this.#addText(end, name, source, number, text);
  }

  /** A string whose closing quote ends at `end` as a field. */
  #textField(from: number, end: number, name: FieldName, source: KeyNode): number {
    const text = stringText(this.#text.data, from, end - 1);
    if (this.#values.strings === "text") {
      return this.#addText(end, name, source, NaN, quoteText(text));
    }
    const value = isJsonNumber(text) ? Number(text) : NaN;
    return Number.isFinite(value) ? this.#addText(end, name, source, value, String(value)) : end;
  }

  #addText(end: number, name: FieldName, source: KeyNode, value: number, text: string): number {
    if (!name.writable) return fault.unwritableName;
    return this.#out.addText(name, source, value, text) ? end : fault.tooManyFields;
  }

  /** From behind `[` to behind `]`: numbers become fields by their place. */
  #elements(
    at: number,
    node: KeyNode,
    names: readonly (FieldName | undefined)[],
    depth: number,
  ): number {
    if (depth > this.#depthMax) return fault.tooDeep;
    const text = this.#text;
    const { data } = text;
    at = text.space(at);
    if (data[at] === char.bracketClose) return at + 1;
    for (let i = 0;; i++) {
      at = startsNumber(data[at])
        ? this.#number(at, names[i], node)
        : text.skip(at, depth, this.#depthMax);
      if (at < 0) return at;
      at = text.space(at);
      if (data[at] === char.bracketClose) return at + 1;
      if (data[at] !== char.comma) return fault.malformed;
      at = text.space(at + 1);
    }
  }
}

/** The digits of `data[from..to)` as one number, without the dot between them. */
function longMantissa(data: Uint8Array, from: number, to: number): number {
  let mantissa = 0;
  for (let at = from; at < to; at++) {
    const byte = data[at]!;
    if (byte !== char.dot) mantissa = mantissa * 10 + (byte - char.zero);
  }
  return mantissa;
}
