/**
 * What one payload held, in flat arrays that are used again for the next one.
 *
 * @module
 */
import { type FieldName, isWithin, type KeyNode } from "./decode_keys.ts";

/** What stood at a captured place. */
export const captureKinds = {
  none: 0,
  /** `from..to` is a JSON number. */
  number: 1,
  /** `from..to` is the inside of a JSON string, without escapes. */
  text: 2,
  /** The same with escapes. */
  escaped: 3,
  /** `true` or `false`. */
  boolean: 4,
  /** `null`, an object or an array. */
  other: 5,
} as const;
export type CaptureKind = typeof captureKinds[keyof typeof captureKinds];

/** What `no_fields` means, in a sentence. */
export const noFieldsDetail = "nothing in it is a finite number, or else what its route stores";

/** Valid until the next payload is decoded. Ranges point into the payload's own bytes. */
export class Decoded {
  count = 0;
  readonly names: FieldName[] = [];
  /** Numbers; booleans as 1 and 0; NaN for text. */
  readonly values: Float64Array;
  /** The value as line protocol: `data[from..to)`, or `texts[i]` where `from` is -1. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly texts: string[] = [];
  readonly captureKind: CaptureKind[];
  readonly captureFrom: Int32Array;
  readonly captureTo: Int32Array;
  generation = 0;
  readonly #sources: KeyNode[] = [];
  readonly #captureSources: (KeyNode | undefined)[];

  constructor(readonly fieldsMax: number, captures: number) {
    this.values = new Float64Array(fieldsMax);
    this.from = new Int32Array(fieldsMax);
    this.to = new Int32Array(fieldsMax);
    this.captureKind = new Array<CaptureKind>(captures).fill(captureKinds.none);
    this.captureFrom = new Int32Array(captures);
    this.captureTo = new Int32Array(captures);
    this.#captureSources = new Array<KeyNode | undefined>(captures).fill(undefined);
  }

  /** Begins a new payload. */
  reset(): void {
    this.generation++;
    this.count = 0;
    const kinds = this.captureKind;
    for (let i = 0; i < kinds.length; i++) kinds[i] = captureKinds.none;
  }

  /** Notes a field, in place of an earlier one of that name. False: there are too many. */
  addNumber(name: FieldName, source: KeyNode, value: number, from: number, to: number): boolean {
    let slot = name.slot;
    if (name.generation !== this.generation) {
      slot = this.count;
      if (slot === this.fieldsMax) return false;
      this.count = slot + 1;
      name.generation = this.generation;
      name.slot = slot;
      if (this.names[slot] !== name) this.names[slot] = name;
    }
    if (this.#sources[slot] !== source) this.#sources[slot] = source;
    this.values[slot] = value;
    this.from[slot] = from;
    this.to[slot] = to;
    return true;
  }

  /** As {@linkcode Decoded.addNumber}, for a value that is not written as the payload has it. */
  addText(name: FieldName, source: KeyNode, value: number, text: string): boolean {
    if (!this.addNumber(name, source, value, -1, -1)) return false;
    this.texts[name.slot] = text;
    return true;
  }

  capture(node: KeyNode, kind: CaptureKind, from: number, to: number): void {
    const i = node.capture;
    this.captureKind[i] = kind;
    this.captureFrom[i] = from;
    this.captureTo[i] = to;
    this.#captureSources[i] = node;
  }

  /** The key came a second time: what the first one brought does not count. */
  forget(node: KeyNode): void {
    for (let slot = this.count - 1; slot >= 0; slot--) {
      if (!isWithin(this.#sources[slot]!, node)) continue;
      this.names[slot]!.generation = 0;
      const last = --this.count;
      if (slot === last) continue;
      const name = this.names[last]!;
      name.slot = slot;
      this.names[slot] = name;
      this.#sources[slot] = this.#sources[last]!;
      this.values[slot] = this.values[last]!;
      this.from[slot] = this.from[last]!;
      this.to[slot] = this.to[last]!;
      this.texts[slot] = this.texts[last] ?? "";
    }
    for (let i = 0; i < this.captureKind.length; i++) {
      if (this.captureKind[i] === captureKinds.none) continue;
      const source = this.#captureSources[i];
      if (source !== undefined && isWithin(source, node)) this.captureKind[i] = captureKinds.none;
    }
  }
}
