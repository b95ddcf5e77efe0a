/**
 * The binary form in which actor messages travel between Workers: many messages in one buffer of
 * at most 64 KiB, so that the price of a `postMessage` is paid once for all of them.
 *
 * A frame is `magic u16, version u8, reserved u8, count u32`, then per message its target and its
 * value; all little endian. A value is a tag byte and its body. Strings of up to
 * {@linkcode internCharsMax} characters are numbered as they appear, and so are the key lists of
 * objects (shapes); a repetition is only its number. Numbers start anew in each frame, so every
 * frame can be read by itself and nothing that was lost before can spoil it.
 *
 * What may be in a message: `null`, `undefined`, booleans, numbers, strings (lone surrogates too),
 * `Uint8Array` (copied), arrays, plain objects, and {@linkcode ActorRef}s, which keep working on
 * the other side. Anything else is an error for the sender.
 *
 * @module
 */
import type { ActorRef } from "./actor.ts";

export const frameMagic = 0x4d53; // "SM"
export const frameVersion = 1;
export const frameHeaderBytes = 8;
/** A frame is sealed before it would pass this; only a single larger message makes a larger one. */
export const frameBytesMax = 64 * 1024;
/** Deeper than this is taken for a cycle. */
export const depthMax = 64;
/** Longer strings are written out each time. */
export const internCharsMax = 48;
/** Strings, and shapes, that one frame may number. */
export const internedMax = 4096;

/** First byte of a value. */
export const tags = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  /** zigzag varint of an int32 */
  int: 4,
  float64: 5,
  /** varint of the length, then a byte per character, all below 0x80 */
  ascii: 6,
  /** varint of the length, then a uint16 per UTF-16 code unit */
  utf16: 7,
  /** varint of the number of a string seen before */
  seenString: 8,
  /** varint of the length, then the bytes */
  bytes: 9,
  /** varint of the length, then the items */
  array: 10,
  /** varint of the number of keys, the keys as strings, then a value for each */
  shape: 11,
  /** varint of the number of a shape seen before, then its values */
  seenShape: 12,
  /** {@linkcode RefAddress}: a byte of {@linkcode refBits}, the target, the path */
  ref: 13,
} as const;

/** Bits of a ref's first byte. */
export const refBits = { receiverIsHome: 1, oneShot: 2 } as const;

/** Names an actor to a Worker: the number in its table of exports, or a published name. */
export type Target = number | string;

/** An {@linkcode ActorRef} on its way. */
export interface RefAddress {
  /** Whose actor it is, seen from the frame's sender. */
  readonly home: "sender" | "receiver";
  readonly target: Target;
  readonly path: string;
  /** An address for a single answer. */
  readonly oneShot: boolean;
}

/** Turns refs into addresses and back; implemented by the end of a link. */
export interface RefCodec {
  /** Asked for every object that is neither plain nor bytes. `undefined`: it is no ref. */
  addressOf(value: object): RefAddress | undefined;
  /** The message that the addresses since the last call are for is on its way, or was dropped. */
  written(kept: boolean): void;
  refAt(address: RefAddress): ActorRef<never>;
}

/** A codec for messages without refs. */
export const noRefs: RefCodec = {
  addressOf: () => undefined,
  written() {},
  refAt: () => {
    throw new FrameError("it carries an actor ref, and this reader knows none");
  },
};

/** The bytes are not a frame of this version, or are damaged. */
export class FrameError extends Error {
  override readonly name = "FrameError";

  constructor(what: string) {
    super(`Cannot read the message frame: ${what}`);
  }
}
