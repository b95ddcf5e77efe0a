/**
 * Keeps two processes out of one data directory. The lock is the kernel's (flock), so that of a
 * process that died is free at once; the file's content only says who holds it.
 *
 * @module
 */
import { isNoSpace } from "./no_space.ts";

/** Another process uses the directory. */
export class DirectoryInUseError extends Error {
  constructor(directory: string, holder: string) {
    super(
      `Cannot use the data directory ${directory}: process ${holder} uses it. ` +
        `Stop that one, or choose another directory with SLUICE_DATA_DIR`,
    );
    this.name = "DirectoryInUseError";
  }
}

/** A lock that is held until `release`, or until the process ends. */
export interface DirectoryLock {
  /** The directory is where it was, and no other. What cannot be told counts as yes. */
  readonly isThere: boolean;
  release(): void;
}

/**
 * Locks a directory that exists. Throws {@linkcode DirectoryInUseError} when another process holds
 * it, and what the system says when the directory cannot be written.
 */
export function lockDirectory(directory: string, pid: number = Deno.pid): DirectoryLock {
  const file = Deno.openSync(`${directory}/lock`, {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    if (!file.tryLockSync(true)) {
      const holder = new Uint8Array(20);
      const length = file.readSync(holder) ?? 0;
      throw new DirectoryInUseError(
        directory,
        new TextDecoder().decode(holder.subarray(0, length)).trim(),
      );
    }
    noteHolder(file, pid);
  } catch (cause) {
    file.close();
    throw cause;
  }
  return {
    get isThere() {
      return isAt(`${directory}/lock`, file);
    },
    release: () => file.close(),
  };
}

function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    const [found, held] = [Deno.statSync(path), file.statSync()];
    return found.ino === held.ino && found.dev === held.dev;
  } catch (cause) {
    return !(cause instanceof Deno.errors.NotFound);
  }
}

/** For people only: a disk that is full must not keep a process from starting. */
function noteHolder(file: Deno.FsFile, pid: number): void {
  try {
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${pid}\n`));
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause;
  }
}
