/**
 * Up to where a spool is done with: spares a restart the writing of what the store has had for long.
 * It is a help, not a truth: one that is missing, old or torn only means that more is written again.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import { readNote, writeNote } from "../segment_log/note.ts";

/** Records of `segment` that end at or before its item number `items`, and all older segments. */
export interface Checkpoint {
  readonly segment: number;
  readonly items: number;
}

export const noCheckpoint: Checkpoint = { segment: 0, items: 0 };
const name = "checkpoint";
const form = /^segment (\d{1,15}) items (\d{1,15})\n$/;

/** Whether all of a record is behind the checkpoint: its last item is the `items`th of `segment`. */
export function isDone(checkpoint: Checkpoint, segment: number, items: number): boolean {
  return segment < checkpoint.segment ||
    (segment === checkpoint.segment && items <= checkpoint.items);
}

/** Answers {@linkcode noCheckpoint} when there is none that can be read. */
export async function readCheckpoint(files: Files, directory: string): Promise<Checkpoint> {
  const match = form.exec(await readNote(files, directory, name) ?? "");
  return match === null ? noCheckpoint : { segment: Number(match[1]), items: Number(match[2]) };
}

/** Replaces the checkpoint as a whole. Throws when the disk does not take it. */
export function writeCheckpoint(files: Files, directory: string, at: Checkpoint): void {
  writeNote(files, directory, name, `segment ${at.segment} items ${at.items}\n`);
}
