/**
 * Names of letters, for listings and for the records that say which are gone: the number of the
 * segment and the place in it, so a name is good for as long as its letter is.
 *
 * @module
 */
import { allocateFrame, frameHeaderBytes } from "../segment_log/frame.ts";

export interface LetterId {
  readonly segment: number;
  readonly item: number;
}

/** The frame kind of a record of removals. Its items count 0. */
export const removalsKind = 3;

export function formatLetterId({ segment, item }: LetterId): string {
  return `${segment}-${item}`;
}

/** `undefined` when it is no name of a letter. */
export function parseLetterId(text: string): LetterId | undefined {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  return match === null ? undefined : { segment: Number(match[1]), item: Number(match[2]) };
}

/** Whether `a` comes after `b`. */
export function isAfter(a: LetterId, b: LetterId): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.item > b.item);
}

export function frameRemovals(removals: readonly LetterId[]): Uint8Array<ArrayBuffer> {
  const frame = allocateFrame(4 + removals.length * 8);
  const words = new Uint32Array(frame.buffer, frameHeaderBytes);
  words[0] = removals.length;
  for (const [i, { segment, item }] of removals.entries()) {
    words[1 + i * 2] = segment;
    words[2 + i * 2] = item;
  }
  return frame;
}

export function* readRemovals(frame: Uint8Array<ArrayBuffer>): Generator<LetterId> {
  const words = new Uint32Array(frame.buffer, frame.byteOffset + frameHeaderBytes);
  for (let i = 0; i < words[0]!; i++) {
    yield { segment: words[1 + i * 2]!, item: words[2 + i * 2]! };
  }
}
