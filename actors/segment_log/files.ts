/**
 * What a durable log asks of a file system, and nothing more, so that tests can pass in one that
 * fails: short writes, a full disk, a sync that fails, a crash at any byte.
 *
 * @module
 */

/** A file open for reading and for writing at a position. Errors are thrown as the system names them. */
export interface LogFile {
  /** Bytes in the file when it was opened. */
  readonly openedBytes: number;
  /** Writes at `at` and answers how many bytes were taken, which may be fewer than asked. */
  write(bytes: Uint8Array, at: number): number;
  /** Reads from `at` and answers how many bytes were read; 0 at the end. One read at a time. */
  read(into: Uint8Array, at: number): Promise<number>;
  truncate(bytes: number): void;
  /** Resolves once everything written is on the disk (fdatasync). */
  sync(): Promise<void>;
  close(): void;
}

/** A file system. Paths are those of the platform, joined with `/`. */
export interface Files {
  /** Makes the directory and its parents; one that exists is fine. */
  makeDirectory(path: string): void;
  /** Names of the files and of the directories in `path`; both empty when it does not exist. */
  list(path: string): { readonly files: string[]; readonly directories: string[] };
  /** Makes a new file; an existing one is an error. */
  create(path: string): LogFile;
  open(path: string): LogFile;
  rename(from: string, to: string): void;
  /** Removes a file, or an empty directory. */
  remove(path: string): void;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** Fills `into` from `at`, as far as the file goes. */
export async function readFully(file: LogFile, into: Uint8Array, at: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const count = await file.read(into.subarray(filled), at + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
