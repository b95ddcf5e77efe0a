/**
 * Reads the messages of a frame. Every length and number is checked before it is used: damaged
 * bytes end in a {@linkcode FrameError}, and no key name has a meaning of its own. The format is
 * told in frames.ts.
 *
 * @module
 */
import {
  depthMax,
  FrameError,
  frameHeaderBytes,
  frameMagic,
  frameVersion,
  internCharsMax,
  internedMax,
  noRefs,
  refBits,
  type RefCodec,
  tags,
  type Target,
} from "./frames.ts";

/** Gets each message in order; `bytes` is what it took in the frame. */
export type FrameVisitor = (target: Target, message: unknown, bytes: number) => void;

/**
 * Calls `visit` for each message of a frame.
 *
 * @throws {FrameError} when the bytes are not a whole frame. The messages before the damage were
 * visited.
 */
export function decodeFrame(frame: Uint8Array, visit: FrameVisitor, refs: RefCodec = noRefs): void {
  new FrameReader(frame, refs).read(visit);
}

interface Shape {
  readonly keys: readonly string[];
  /** `__proto__` is among the keys, so assigning would not make a property. */
  readonly guarded: boolean;
}

const shortCharsMax = 12;
const textDecoder = new TextDecoder();

class FrameReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refs: RefCodec;
  readonly #strings: string[] = [];
  readonly #shapes: Shape[] = [];
  #at = frameHeaderBytes;

  constructor(bytes: Uint8Array, refs: RefCodec) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#refs = refs;
  }

  read(visit: FrameVisitor): void {
    const view = this.#view;
    if (
      view.byteLength < frameHeaderBytes || view.getUint16(0, true) !== frameMagic ||
      view.getUint8(2) !== frameVersion || view.getUint8(3) !== 0
    ) throw new FrameError("no header of this version");
    const count = view.getUint32(4, true);
    for (let i = 0; i < count; i++) {
      const start = this.#at;
      const target = this.#target();
      const message = this.#value(0);
      visit(target, message, this.#at - start);
    }
    if (this.#at !== this.#bytes.length) {
      throw new FrameError(`${this.#bytes.length - this.#at} bytes follow the last message`);
    }
  }

  #target(): Target {
    const target = this.#value(depthMax);
    if (typeof target === "string" || typeof target === "number") return target;
    throw new FrameError("a target is neither number nor name");
  }

  #value(depth: number): unknown {
    const tag = this.#byte();
    switch (tag) {
      case tags.null:
        return null;
      case tags.undefined:
        return undefined;
      case tags.false:
        return false;
      case tags.true:
        return true;
      case tags.int: {
        const zigzag = this.#varint();
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
      case tags.float64:
        return this.#view.getFloat64(this.#skip(8), true);
      case tags.ascii:
      case tags.utf16:
      case tags.seenString:
        return this.#string(tag);
      case tags.bytes: {
        const length = this.#varint();
        const start = this.#skip(length);
        return this.#bytes.slice(start, start + length);
      }
      case tags.array:
        return this.#array(depth + 1);
      case tags.shape:
        return this.#object(this.#newShape(), depth + 1);
      case tags.seenShape: {
        const number = this.#varint();
        const shape = this.#shapes[number];
        if (shape === undefined) throw new FrameError(`shape ${number} was not defined`);
        return this.#object(shape, depth + 1);
      }
      case tags.ref:
        return this.#ref();
      default:
        throw new FrameError(`unknown tag ${tag} at byte ${this.#at - 1}`);
    }
  }

  #array(depth: number): unknown[] {
    const length = this.#lengthOfValues();
    this.#checkDepth(depth);
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) items.push(this.#value(depth));
    return items;
  }

  #newShape(): Shape {
    const length = this.#lengthOfValues();
    const keys: string[] = [];
    for (let i = 0; i < length; i++) keys.push(this.#string(this.#byte()));
    const shape = { keys, guarded: keys.includes("__proto__") };
    if (this.#shapes.length < internedMax) this.#shapes.push(shape);
    return shape;
  }

  #object(shape: Shape, depth: number): Record<string, unknown> {
    this.#checkDepth(depth);
    const { keys, guarded } = shape;
    const object: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) {
      const value = this.#value(depth);
      if (guarded) {
        Object.defineProperty(object, keys[i]!, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      } else object[keys[i]!] = value;
    }
    return object;
  }

  #ref(): unknown {
    const bits = this.#byte();
    const target = this.#target();
    const path = this.#string(this.#byte());
    return this.#refs.refAt({
      home: (bits & refBits.receiverIsHome) !== 0 ? "receiver" : "sender",
      oneShot: (bits & refBits.oneShot) !== 0,
      target,
      path,
    });
  }

  #string(tag: number): string {
    const number = this.#varint();
    let text: string;
    if (tag === tags.ascii) {
      text = this.#ascii(number);
    } else if (tag === tags.utf16) {
      text = this.#utf16(number);
    } else {
      const seen = tag === tags.seenString ? this.#strings[number] : undefined;
      if (seen === undefined) throw new FrameError(`no string at byte ${this.#at - 1}`);
      return seen;
    }
    if (number <= internCharsMax && this.#strings.length < internedMax) this.#strings.push(text);
    return text;
  }

  /** Short ones by hand: a call into the decoder costs as much as twelve characters (measured). */
  #ascii(length: number): string {
    const start = this.#skip(length);
    if (length > shortCharsMax) {
      return textDecoder.decode(this.#bytes.subarray(start, start + length));
    }
    let text = "";
    for (let i = start; i < start + length; i++) text += String.fromCharCode(this.#bytes[i]!);
    return text;
  }

  #utf16(length: number): string {
    const start = this.#skip(length * 2);
    let text = "";
    for (let i = 0; i < length; i++) {
      text += String.fromCharCode(this.#view.getUint16(start + i * 2, true));
    }
    return text;
  }

  /** A length of things that take a byte at least: a larger one cannot be true. */
  #lengthOfValues(): number {
    const length = this.#varint();
    if (length > this.#bytes.length - this.#at) {
      throw new FrameError(`length ${length} is too large`);
    }
    return length;
  }

  #checkDepth(depth: number): void {
    if (depth > depthMax) throw new FrameError(`nested deeper than ${depthMax}`);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new FrameError("a number of more than five bytes");
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new FrameError("it ends too early");
    return this.#bytes[this.#at++]!;
  }

  /** Steps over `length` bytes and gives where they start. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new FrameError("it ends too early");
    this.#at = start + length;
    return start;
  }
}
