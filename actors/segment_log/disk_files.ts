/**
 * The machine's own file system.
 *
 * @module
 */
import type { Files, LogFile } from "./files.ts";

class DiskFile implements LogFile {
  readonly openedBytes: number;
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.openedBytes = file.statSync().size;
  }

  write(bytes: Uint8Array, at: number): number {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    return this.#file.writeSync(bytes);
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    return await this.#file.read(into) ?? 0;
  }

  truncate(bytes: number): void {
    this.#file.truncateSync(bytes);
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  close(): void {
    this.#file.close();
  }
}

function leadsToDirectory(link: string): boolean {
  try {
    return Deno.statSync(link).isDirectory;
  } catch {
    return false; // Whoever opens it says why it leads nowhere.
  }
}

/** See {@linkcode Files}. New files are readable by their owner only. */
export const diskFiles: Files = {
  makeDirectory: (path) => Deno.mkdirSync(path, { recursive: true, mode: 0o700 }),

  list(path) {
    const files: string[] = [];
    const directories: string[] = [];
    try {
      for (const entry of Deno.readDirSync(path)) {
        const isDirectory = entry.isSymlink
          ? leadsToDirectory(`${path}/${entry.name}`)
          : entry.isDirectory;
        (isDirectory ? directories : files).push(entry.name);
      }
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
    return { files: files.sort(), directories: directories.sort() };
  },

  create: (path) =>
    new DiskFile(
      Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 }),
    ),

  open: (path) => new DiskFile(Deno.openSync(path, { read: true, write: true })),
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),

  async syncDirectory(path) {
    using directory = await Deno.open(path, { read: true });
    await directory.sync();
  },
};
