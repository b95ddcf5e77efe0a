/**
 * A file system in memory for tests, with the failures of a real one: a disk of limited size that
 * takes part of a write, a sync that fails and forgets, and a crash that keeps only what was synced
 * and, of the rest, as much as the test says.
 *
 * @module
 */
import type { Files, LogFile } from "../files.ts";

/** Content as written, and how much of it a crash is sure to keep. */
interface Node {
  bytes: Uint8Array<ArrayBuffer>;
  syncedBytes: number;
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (${code})`), { code });
}

/** See the module. Directories come into being with the files in them. */
export class MemoryFiles implements Files {
  readonly nodes = new Map<string, Node>();
  /** Bytes the disk can hold. */
  capacityBytes = Infinity;
  /** Bytes one write call takes at most. */
  writeBytesMax = Infinity;
  /** Called before each operation; may throw what a disk would. */
  fault: (operation: keyof Files | keyof LogFile, path: string) => void = () => {};
  openFiles = 0;
  readonly #openFiles = new Map<Node, number>();
  /** Removed while they were open: their room is taken until they are closed. */
  readonly #removed = new Set<Node>();

  get usedBytes(): number {
    let used = 0;
    for (const { bytes } of this.nodes.values()) used += bytes.length;
    for (const { bytes } of this.#removed) used += bytes.length;
    return used;
  }

  /**
   * What a machine that lost power would find: of each file, the synced bytes and `keep(tail)` of
   * those behind.
   */
  crashed(keep: (path: string, tailBytes: number) => number = () => 0): MemoryFiles {
    const after = new MemoryFiles();
    for (const [path, { bytes, syncedBytes }] of this.nodes) {
      const kept = syncedBytes + keep(path, bytes.length - syncedBytes);
      after.nodes.set(path, { bytes: bytes.slice(0, kept), syncedBytes: kept });
    }
    return after;
  }

  makeDirectory(path: string): void {
    this.fault("makeDirectory", path);
  }

  list(path: string): { files: string[]; directories: string[] } {
    const files: string[] = [];
    const directories = new Set<string>();
    for (const name of this.nodes.keys()) {
      if (!name.startsWith(`${path}/`)) continue;
      const [first, ...rest] = name.slice(path.length + 1).split("/");
      if (rest.length === 0) files.push(first!);
      else directories.add(first!);
    }
    return { files: files.sort(), directories: [...directories].sort() };
  }

  create(path: string): LogFile {
    this.fault("create", path);
    if (this.nodes.has(path)) throw systemError("EEXIST", `${path} exists`);
    const node: Node = { bytes: new Uint8Array(0), syncedBytes: 0 };
    this.nodes.set(path, node);
    return this.#file(path, node);
  }

  open(path: string): LogFile {
    this.fault("open", path);
    const node = this.nodes.get(path);
    if (node === undefined) throw systemError("ENOENT", `No ${path}`);
    return this.#file(path, node);
  }

  rename(from: string, to: string): void {
    this.fault("rename", from);
    const node = this.nodes.get(from);
    if (node === undefined) throw systemError("ENOENT", `No ${from}`);
    this.nodes.delete(from);
    this.nodes.set(to, node);
  }

  remove(path: string): void {
    this.fault("remove", path);
    const node = this.nodes.get(path);
    // Directories are not kept, so one cannot be missed.
    if (node === undefined && path.endsWith(".seg")) throw systemError("ENOENT", `No ${path}`);
    this.nodes.delete(path);
    if (node !== undefined && this.#openFiles.has(node)) this.#removed.add(node);
  }

  syncDirectory(path: string): Promise<void> {
    return Promise.try(() => this.fault("syncDirectory", path));
  }

  #file(path: string, node: Node): LogFile {
    this.openFiles++;
    this.#openFiles.set(node, (this.#openFiles.get(node) ?? 0) + 1);
    const fault = (operation: keyof LogFile) => this.fault(operation, path);
    return {
      openedBytes: node.bytes.length,
      write: (bytes, at) => {
        fault("write");
        const room = this.capacityBytes - this.usedBytes + (node.bytes.length - at);
        if (room <= 0) throw systemError("ENOSPC", "No space left on device");
        const count = Math.min(bytes.length, this.writeBytesMax, room);
        const grown = new Uint8Array(Math.max(node.bytes.length, at + count));
        grown.set(node.bytes);
        grown.set(bytes.subarray(0, count), at);
        node.bytes = grown;
        node.syncedBytes = Math.min(node.syncedBytes, at);
        return count;
      },
      read: (into, at) => {
        return Promise.try(() => {
          fault("read");
          const part = node.bytes.subarray(at, at + into.length);
          into.set(part);
          return part.length;
        });
      },
      truncate: (bytes) => {
        fault("truncate");
        node.bytes = node.bytes.slice(0, bytes);
        node.syncedBytes = Math.min(node.syncedBytes, bytes);
      },
      sync: () => {
        const upTo = node.bytes.length;
        return Promise.try(() => {
          fault("sync");
          node.syncedBytes = Math.max(node.syncedBytes, Math.min(upTo, node.bytes.length));
        });
      },
      close: () => {
        this.openFiles--;
        const left = this.#openFiles.get(node)! - 1;
        this.#openFiles.set(node, left);
        if (left > 0) return;
        this.#openFiles.delete(node);
        this.#removed.delete(node);
      },
    };
  }
}
