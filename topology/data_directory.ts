/**
 * The data directory: made when it is not there, checked for writing, held by one process, and the
 * home of what must stay the same over restarts.
 *
 * @module
 */
import { type DirectoryLock, lockDirectory } from "../actors/segment_log/lock.ts";
import { isNoSpace } from "../actors/segment_log/no_space.ts";
import { replaceFile } from "../gateways/files/replace_file.ts";
import { logger } from "../gateways/log/log.ts";
import { directoryFault } from "./directory_fault.ts";
import { toldFile } from "./told_segments.ts";

const log = logger("service");

/** Where everything lies below the data directory. */
export interface DataPaths {
  readonly root: string;
  readonly spool: string;
  readonly deadLetters: string;
  readonly store: string;
  readonly devices: string;
  readonly broker: string;
  readonly retained: string;
  readonly sessions: string;
  readonly accounts: string;
  readonly tokenKey: string;
  readonly bans: string;
  readonly suspects: string;
}

/** A directory that is ours. */
export interface DataDirectory {
  readonly paths: DataPaths;
  readonly lock: DirectoryLock;
}

export function dataPaths(root: string): DataPaths {
  return {
    root,
    spool: `${root}/spool`,
    deadLetters: `${root}/dead_letters`,
    store: `${root}/store.db`,
    devices: `${root}/devices.db`,
    broker: `${root}/broker`,
    retained: `${root}/retained.db`,
    sessions: `${root}/sessions.db`,
    accounts: `${root}/accounts.db`,
    tokenKey: `${root}/jwt_key`,
    bans: `${root}/bans.json`,
    suspects: `${root}/code_suspects.json`,
  };
}

/** @throws {Error} naming the directory and what to do about it. */
export function makeDirectory(root: string, directory = root): void {
  use(root, directory, () => Deno.mkdirSync(directory, { recursive: true, mode: 0o700 }));
}

/**
 * Makes, checks and locks it.
 *
 * @throws {Error} naming the directory and what to do about it.
 */
export function openDataDirectory(root: string): DataDirectory {
  const paths = dataPaths(root);
  const probe = `${root}/.write_test`;
  for (const directory of [root, paths.spool, paths.deadLetters]) {
    makeDirectory(root, directory);
  }
  for (const file of [probe, `${root}/reserve`, `${root}/lock`]) check(file, "file");
  use(root, root, () => keepReserve(`${root}/reserve`, probe));
  const lock = lockDirectory(root);
  try {
    checkKinds(paths);
  } catch (cause) {
    lock.release();
    throw cause;
  }
  return { paths, lock };
}

/** Does something in a directory; says why that cannot be. */
function use(root: string, directory: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    const { why, remedy } = directoryFault(directory, cause);
    throw new Error(
      `Cannot use the data directory ${root}: ${why}. ${remedy}, or choose another with ` +
        `SLUICE_DATA_DIR`,
      { cause },
    );
  }
}

/** A directory where a file belongs, or the other way round: said once, not by each who opens it. */
function checkKinds({ root, spool, deadLetters, ...files }: DataPaths): void {
  const { broker, ...others } = files;
  const ofShards = [spool, deadLetters].flatMap((directory) =>
    [...Deno.readDirSync(directory)].filter(({ name }) => /^\d{1,6}$/.test(name))
      .map(({ name }) => `${directory}/${name}`)
  );
  for (const path of [broker, ...ofShards]) check(path, "directory");
  for (const path of [...Object.values(others), gatewayIdFile(root), toldFile(root)]) {
    check(path, "file");
  }
}

function check(path: string, kind: "file" | "directory"): void {
  const there = statIfThere(path);
  if (there === undefined || there.isDirectory === (kind === "directory")) return;
  throw new Error(
    `Cannot use the data directory: ${path} must be a ${kind}. Move it away, or put a copy of what ` +
      `was there in its place`,
  );
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** What the databases need to be opened; given back when the disk is full. */
const reserveBytes = 256 * 1024;

/**
 * Keeps a little room in a file, which shows that the directory can be written, too. On a full disk,
 * or one without an inode left, the file goes, and its room lets the service start: only then can
 * what is spooled leave for the store.
 */
function keepReserve(reserve: string, probe: string): void {
  const room = new Uint8Array(reserveBytes);
  for (let at = 0; at < room.length; at += 65_536) {
    crypto.getRandomValues(room.subarray(at, at + 65_536)); // No file system compresses that.
  }
  try {
    Deno.writeFileSync(probe, room, { mode: 0o600 });
    Deno.renameSync(probe, reserve);
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause;
    removeIfThere(probe);
    removeIfThere(reserve);
  }
}

function removeIfThere(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

/**
 * The configured gateway id, or host name and a short id that is made once and kept. Where a full disk
 * does not keep it, it holds until the next start.
 *
 * @throws {Error} naming the directory and what to do about it.
 */
export function gatewayIdOf(configured: string | undefined, root: string): string {
  const known = configured ?? keptGatewayId(root);
  if (known !== undefined) return known;
  const id = `${Deno.hostname()}-${crypto.randomUUID().slice(0, 8)}`;
  use(root, root, () => {
    try {
      replaceFile(gatewayIdFile(root), `${id}\n`);
    } catch (cause) {
      if (!isNoSpace(cause)) throw cause;
      log.warn("the disk is full, so the gateway's id is not kept: the next start makes another", {
        id,
        remedy: "free room, or set gatewayId",
      });
    }
  });
  return id;
}

const gatewayIdFile = (root: string): string => `${root}/gateway_id`;

/** The id that an earlier start made. */
export function keptGatewayId(root: string): string | undefined {
  try {
    return Deno.readTextFileSync(gatewayIdFile(root)).trim() || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Spools and dead letters of shards that this number of shards does not have, by new owner. */
export function orphansOf(directory: string, shards: number): string[][] {
  const orphans: string[][] = Array.from({ length: shards }, () => []);
  for (const { name } of Deno.readDirSync(directory)) {
    const shard = Number(name);
    const path = `${directory}/${name}`;
    if (!Number.isInteger(shard) || shard < shards) continue;
    if (statIfThere(path)?.isDirectory) orphans[shard % shards]!.push(path); // Or a link to one.
  }
  return orphans;
}
