/**
 * How much room a disk has.
 *
 * @module
 */
import { statfsSync } from "node:fs";

/** What is free on the disk of a file or directory, to who is not the superuser. */
export interface DiskRoom {
  readonly bytes: number;
  /** Of the whole disk, free or not. */
  readonly bytesTotal: number;
  /** How many files more; `undefined` where the file system has no such bound. */
  readonly files: number | undefined;
}

/**
 * `undefined` where it cannot be told: no `--allow-sys=statfs`, a file system that does not count, or
 * nothing is there.
 */
export function diskRoom(path: string): DiskRoom | undefined {
  try {
    const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
    if (blocks === 0) return undefined;
    return {
      bytes: bsize * bavail,
      bytesTotal: bsize * blocks,
      files: files === 0 ? undefined : ffree,
    };
  } catch {
    return undefined;
  }
}
