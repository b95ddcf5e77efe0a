/**
 * A small file system in memory, to be filled up.
 *
 * @module
 */
import { isNoSpace } from "../../actors/segment_log/no_space.ts";

/** A mounted tmpfs. Dispose of it to unmount and remove it. */
export interface Tmpfs extends AsyncDisposable {
  readonly path: string;
  /** Makes it larger. */
  resize(bytes: number): void;
}

function mountable(): boolean {
  if (Deno.uid() !== 0) return false;
  const path = Deno.makeTempDirSync({ prefix: "sluice_tmpfs_" });
  const mounted = run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]);
  if (mounted) run("umount", [path]);
  Deno.removeSync(path);
  return mounted;
}

/** Why a tmpfs cannot be mounted here; `undefined` when it can. */
export const noTmpfs: string | undefined = mountable()
  ? undefined
  : "mounting a tmpfs is not permitted here; run as root";

/** Mounts a tmpfs of so many bytes, and inodes: the root has one. */
export async function mountTmpfs(bytes: number, inodes?: number): Promise<Tmpfs> {
  const path = await Deno.makeTempDir({ prefix: "sluice_tmpfs_" });
  const options = inodes === undefined ? `size=${bytes}` : `size=${bytes},nr_inodes=${inodes}`;
  if (!run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path])) {
    await Deno.remove(path);
    throw new Error(`Cannot mount a tmpfs on ${path}`);
  }
  return {
    path,
    resize(size) {
      if (!run("mount", ["-o", `remount,size=${size}`, path])) {
        throw new Error(`Cannot resize the tmpfs on ${path}`);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!run("umount", [path])) throw new Error(`Cannot unmount ${path}`);
      await Deno.remove(path);
    },
  };
}

/** Leaves no room on it. */
export function fillDisk({ path }: Tmpfs): void {
  using file = Deno.openSync(`${path}/filled`, { create: true, write: true });
  try {
    for (const bytes = new Uint8Array(4_096);;) file.writeSync(bytes);
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause;
  }
}

/** Leaves no inode on it. */
export function fillInodes({ path }: Tmpfs): void {
  try {
    for (;;) Deno.makeTempFileSync({ dir: path });
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause;
  }
}

function run(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}
