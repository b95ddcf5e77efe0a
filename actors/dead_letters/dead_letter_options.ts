/**
 * What a log of dead letters is given: its bound, its surroundings, and who is told what happens.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import type { Letter } from "./letter.ts";

export interface DeadLetterOptions {
  readonly files: Files;
  readonly directory: string;
  /** Bytes on the disk; beyond it the oldest letters are given up, and counted. */
  readonly bytesMax: number;
  /** Wall time, ms. */
  now(): number;
  /** A new 32-bit number each time. */
  random32(): number;
  /** Told of each letter that comes. */
  readonly added?: (letter: Letter) => void;
  /** Letters were given up, for room or because the disk lost them. */
  dropped(letters: number): void;
  /** Something beside the commits failed; it is tried again. */
  readonly trouble?: (action: string, cause: unknown) => void;
}

const segmentsWithinBound = 8;

/** Of what is asked for again and again, a whole segment is read. */
const segmentBytesMax = 4 * 1024 * 1024;

/** How large one file of the log may grow. */
export const segmentBytesOf = ({ bytesMax }: DeadLetterOptions): number =>
  Math.min(Math.ceil(bytesMax / segmentsWithinBound), segmentBytesMax);
