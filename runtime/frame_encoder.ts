/**
 * Writes messages into a frame. The format is told in frames.ts.
 *
 * @module
 */
import {
  depthMax,
  frameBytesMax,
  frameHeaderBytes,
  frameMagic,
  frameVersion,
  internCharsMax,
  noRefs,
  refBits,
  type RefCodec,
  tags,
  type Target,
} from "./frames.ts";
import { ShapeTree } from "./frame_shapes.ts";
import { StringTable } from "./frame_strings.ts";

/** `overflow`: seal the frame and add the message again. `refused`: by the {@linkcode Admission}. */
export type AddResult = "added" | "overflow" | "refused";

/** Decides, once a message is written, whether its bytes may go; for example by credit. */
export interface Admission {
  take(bytes: number): boolean;
}

export interface FrameEncoderOptions {
  readonly refs?: RefCodec;
  /** Larger messages are refused with a `RangeError`. Default 1 MiB. */
  readonly messageBytesMax?: number;
  /** Default: everything may go. */
  readonly admission?: Admission;
}

export const messageBytesMaxDefault = 1024 * 1024;

/**
 * Gathers messages until they are sealed into a buffer that can be transferred. Reusable; its
 * buffer grows to the largest frame it made.
 *
 * @example
 * ```ts
 * import { FrameEncoder } from "./frame_encoder.ts";
 * import { decodeFrame } from "./frame_decoder.ts";
 * import assert from "node:assert/strict";
 *
 * const encoder = new FrameEncoder();
 * encoder.add("devices", { kind: "seen", at: [44.43, 26.1] });
 * const received: unknown[] = [];
 * decodeFrame(new Uint8Array(encoder.seal()), (target, message) => {
 *   received.push([target, message]);
 * });
 * assert.deepEqual(received, [["devices", { kind: "seen", at: [44.43, 26.1] }]]);
 * ```
 */
export class FrameEncoder {
  readonly #refs: RefCodec;
  readonly #messageBytesMax: number;
  readonly #admission: Admission;
  readonly #shapes = new ShapeTree();
  readonly #strings = new StringTable();
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = frameHeaderBytes;
  #count = 0;
  #hasRefs = false;
  #mark = frameHeaderBytes;
  #markStrings = 0;
  #markShapes = 0;

  constructor(options: FrameEncoderOptions = {}) {
    this.#refs = options.refs ?? noRefs;
    this.#messageBytesMax = options.messageBytesMax ?? messageBytesMaxDefault;
    this.#admission = options.admission ?? { take: () => true };
  }

  /** Messages in the open frame. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the open frame, header included. */
  get length(): number {
    return this.#at;
  }

  /**
   * Adds a message, or nothing at all.
   *
   * @throws {TypeError} when it holds what cannot be sent.
   * @throws {RangeError} when it is too deep (or cyclic) or too large.
   */
  add(target: Target, message: unknown): AddResult {
    this.#mark = this.#at;
    this.#markStrings = this.#strings.count;
    this.#markShapes = this.#shapes.count;
    try {
      this.#target(target);
      this.#value(message, 0);
      this.#checkSize(0);
    } catch (thrown) {
      this.#rewind();
      throw thrown;
    }
    if (this.#at > frameBytesMax && this.#count > 0) {
      this.#rewind();
      return "overflow";
    }
    if (!this.#admission.take(this.#at - this.#mark)) {
      this.#rewind();
      return "refused";
    }
    this.#written(true);
    this.#count++;
    return "added";
  }

  /** The frame in a buffer of its own; the next one starts empty. */
  seal(): ArrayBuffer {
    const view = this.#view;
    view.setUint16(0, frameMagic, true);
    view.setUint8(2, frameVersion);
    view.setUint8(3, 0);
    view.setUint32(4, this.#count, true);
    const sealed = this.#view.buffer.slice(0, this.#at);
    this.#at = frameHeaderBytes;
    this.#count = 0;
    this.#strings.restart();
    this.#shapes.restart();
    return sealed;
  }

  #rewind(): void {
    this.#at = this.#mark;
    this.#strings.rewind(this.#markStrings);
    this.#shapes.rewind(this.#markShapes);
    this.#written(false);
  }

  #written(kept: boolean): void {
    if (!this.#hasRefs) return;
    this.#hasRefs = false;
    this.#refs.written(kept);
  }

  #target(target: Target): void {
    if (typeof target === "string") this.#string(target);
    else this.#number(target);
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.#string(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#tag(value ? tags.true : tags.false);
      case "undefined":
        return this.#tag(tags.undefined);
      case "object":
        return value === null ? this.#tag(tags.null) : this.#object(value, depth);
      default:
        throw unsendable(`a ${typeof value}`);
    }
  }

  #object(value: object, depth: number): void {
    if (depth === depthMax) {
      throw new RangeError(
        `Cannot send a message that is cyclic or nested deeper than ${depthMax}`,
      );
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      if ("tell" in value && typeof value.tell === "function") this.#ref(value);
      else this.#plain(value, depth);
    } else if (Array.isArray(value)) {
      this.#head(tags.array, value.length);
      for (let i = 0; i < value.length; i++) this.#value(value[i], depth + 1);
    } else if (value instanceof Uint8Array) {
      this.#head(tags.bytes, value.length);
      this.#ensure(value.length);
      this.#bytes.set(value, this.#at);
      this.#at += value.length;
    } else {
      this.#ref(value);
    }
  }

  #plain(value: object, depth: number): void {
    const keys = Object.keys(value);
    const shape = this.#shapes.find(keys);
    const number = this.#shapes.numberOf(shape);
    if (number >= 0) {
      this.#head(tags.seenShape, number);
    } else {
      this.#head(tags.shape, keys.length);
      for (let i = 0; i < keys.length; i++) this.#string(keys[i]!);
      this.#shapes.define(shape);
    }
    const values: readonly unknown[] = Object.values(value);
    for (let i = 0; i < keys.length; i++) this.#value(values[i], depth + 1);
  }

  #ref(value: object): void {
    this.#hasRefs = true;
    const address = this.#refs.addressOf(value);
    if (address === undefined) throw unsendable(`a ${value.constructor?.name ?? "foreign object"}`);
    this.#tag(tags.ref);
    this.#tag(
      (address.home === "receiver" ? refBits.receiverIsHome : 0) |
        (address.oneShot ? refBits.oneShot : 0),
    );
    this.#target(address.target);
    this.#string(address.path);
  }

  #number(value: number): void {
    const int = value | 0;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      return this.#head(tags.int, ((int << 1) ^ (int >> 31)) >>> 0);
    }
    this.#ensure(9);
    this.#bytes[this.#at] = tags.float64;
    this.#view.setFloat64(this.#at + 1, value, true);
    this.#at += 9;
  }

  #string(value: string): void {
    if (value.length > internCharsMax) return this.#characters(value);
    const number = this.#strings.numberOf(value);
    if (number >= 0) return this.#head(tags.seenString, number);
    this.#strings.define(value);
    this.#characters(value);
  }

  #characters(value: string): void {
    const { length } = value;
    const start = this.#at;
    this.#head(tags.ascii, length);
    this.#ensure(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.#at = start;
        return this.#utf16(value);
      }
      bytes[at++] = code;
    }
    this.#at = at;
  }

  #utf16(value: string): void {
    const { length } = value;
    this.#head(tags.utf16, length);
    this.#ensure(length * 2);
    for (let i = 0; i < length; i++) {
      this.#view.setUint16(this.#at, value.charCodeAt(i), true);
      this.#at += 2;
    }
  }

  #tag(byte: number): void {
    this.#ensure(1);
    this.#bytes[this.#at++] = byte;
  }

  /** A tag and a varint. */
  #head(tag: number, varint: number): void {
    this.#ensure(6);
    const bytes = this.#bytes;
    bytes[this.#at++] = tag;
    let rest = varint;
    while (rest >= 0x80) {
      bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#at++] = rest;
  }

  #ensure(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    this.#checkSize(bytes);
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #checkSize(more: number): void {
    const bytes = this.#at - this.#mark + more;
    if (bytes <= this.#messageBytesMax) return;
    throw new RangeError(
      `Cannot send a message of ${bytes} bytes or more: the limit is ${this.#messageBytesMax}`,
    );
  }
}

function unsendable(found: string): TypeError {
  return new TypeError(
    `Cannot send ${found} to another Worker: a message may hold null, undefined, booleans, ` +
      "numbers, strings, Uint8Array, arrays, plain objects and actor refs",
  );
}
