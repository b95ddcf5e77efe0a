/**
 * Up to where a spool is done with: spares a restart the writing of what the store has had for long.
 * It is a help, not a truth: one that is missing, old or torn only means that more is written again.
 *
 * @module
 */
import { type Files, readFully } from "../segment_log/files.ts";

/** Records of `segment` that end at or before its item number `items`, and all older segments. */
export interface Checkpoint {
  readonly segment: number;
  readonly items: number;
}

export const noCheckpoint: Checkpoint = { segment: 0, items: 0 };
const bytesMax = 100;

/** Whether all of a record is behind the checkpoint: its last item is the `items`th of `segment`. */
export function isDone(checkpoint: Checkpoint, segment: number, items: number): boolean {
  return segment < checkpoint.segment ||
    (segment === checkpoint.segment && items <= checkpoint.items);
}

/** Answers {@linkcode noCheckpoint} when there is none that can be read. */
export async function readCheckpoint(files: Files, directory: string): Promise<Checkpoint> {
  if (!files.list(directory).files.includes("checkpoint")) return noCheckpoint;
  const file = files.open(`${directory}/checkpoint`);
  try {
    const bytes = new Uint8Array(bytesMax);
    const length = await readFully(file, bytes, 0);
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    const match = /^segment (\d{1,15}) items (\d{1,15})\n$/.exec(text);
    return match === null ? noCheckpoint : { segment: Number(match[1]), items: Number(match[2]) };
  } finally {
    file.close();
  }
}

/** Replaces the checkpoint as a whole. Throws when the disk does not take it. */
export function writeCheckpoint(files: Files, directory: string, at: Checkpoint): void {
  const temporary = `${directory}/checkpoint.new`;
  if (files.list(directory).files.includes("checkpoint.new")) files.remove(temporary);
  const text = new TextEncoder().encode(`segment ${at.segment} items ${at.items}\n`);
  const file = files.create(temporary);
  try {
    if (file.write(text, 0) < text.length) throw new Error(`Cannot write ${temporary} whole`);
  } finally {
    file.close();
  }
  files.rename(temporary, `${directory}/checkpoint`);
}
