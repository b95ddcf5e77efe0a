/**
 * What of the data directory holds how much, in words: for whoever has to make room on its disk.
 *
 * @module
 */
import { diskRoom } from "../gateways/store/disk_room.ts";

/** Parts that are named, the largest first. */
const namedMax = 4;
const mib = 1024 * 1024;

/**
 * One sentence: `the data directory holds 3.9 MiB: store.db 2.1 MiB, dead_letters 1.2 MiB, …`. Says
 * so when it is not room that is missing, but an inode. Never throws.
 */
export function diskUse(root: string): string {
  const bytesOf = new Map<string, number>();
  for (const { name } of entriesOf(root)) {
    const part = name.replace(/-(wal|shm|journal)$/, ""); // Of a database, with it.
    bytesOf.set(part, (bytesOf.get(part) ?? 0) + bytesIn(`${root}/${name}`));
  }
  const parts = [...bytesOf].toSorted(([, a], [, b]) => b - a);
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  const named = parts.slice(0, namedMax).filter(([, bytes]) => bytes > total / 100)
    .map(([name, bytes]) => `${name} ${sizeText(bytes)}`);
  const use = `the data directory holds ${sizeText(total)}`;
  const what = named.length === 0 ? use : `${use}: ${named.join(", ")}`;
  return diskRoom(root)?.files === 0 ? `it has no inode left for another file; ${what}` : what;
}

const sizeText = (bytes: number): string => `${(bytes / mib).toFixed(1)} MiB`;

/** What it takes on the disk, with all that is in it. What has gone meanwhile takes nothing. */
function bytesIn(path: string): number {
  try {
    const { isDirectory, blocks, size } = Deno.lstatSync(path);
    if (!isDirectory) return blocks === null ? size : blocks * 512;
  } catch {
    return 0;
  }
  return entriesOf(path).reduce((sum, { name }) => sum + bytesIn(`${path}/${name}`), 0);
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return [];
  }
}
