/**
 * Owners of devices over a change of the number of shards: most devices then have another owner than
 * the shard in whose spool their latest readings are. Before any shard starts, what the spools tell
 * of devices is written where today's owners look for it. Without that, a reading that comes again
 * would be stored twice.
 *
 * @module
 */
import type { Files } from "../actors/segment_log/files.ts";
import { saltsOf } from "../actors/spool/scan.ts";
import type { Config } from "../config.ts";
import { logger } from "../gateways/log/log.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import type { Clock } from "../runtime/clock.ts";
import type { DataPaths } from "./data_directory.ts";
import { type HandoverLimits, handoverLimits } from "./limits.ts";
import { readTold, toldFile, type ToldSegments, writeTold } from "./told_segments.ts";

const log = logger("devices");

export interface SpoolOwnersOptions {
  readonly config: Config;
  readonly paths: Pick<DataPaths, "root" | "spool" | "devices">;
  readonly files: Files;
  readonly clock: Clock;
  /** As many as there are to be. */
  readonly shards: number;
  /** What was saved of devices was damaged, and is put aside. */
  readonly statesLost: boolean;
  /** What may be held in memory at a time, if not as much as {@linkcode handoverLimits} gives. */
  readonly limits?: Partial<HandoverLimits>;
}

/**
 * Gives the number of shards to start with: the one that is wanted, or, when what the spools tell of
 * devices cannot be written (a full disk), the one that they were written by. And the segments whose
 * readings the saved states of devices know.
 */
export async function settleOwners(options: SpoolOwnersOptions): Promise<ToldSegments> {
  const { config, paths, files, clock, shards } = options;
  const statesLost = options.statesLost || !isThere(files, paths.devices);
  const limits = { ...handoverLimits(config, shards), ...options.limits };
  const before = await readNote(files, paths.root);
  if (before?.shards === shards && !(statesLost && before.salts.length > 0)) return before;
  const numbers = files.list(paths.spool).directories.filter((name) => /^\d{1,6}$/.test(name));
  try {
    let salts: readonly number[] = [];
    if (numbers.length > 0) {
      const startMs = clock.monotonic();
      const states = new DeviceStates(paths.devices, "FULL");
      const directories = numbers.map((number) => `${paths.spool}/${number}`);
      const told = new Set(statesLost ? [] : before?.salts);
      try {
        salts = directories.flatMap((directory) => saltsOf(files, directory));
        // Not loaded at every start: it brings all that a device needs.
        const { handOverDevices } = await import("./device_handover.ts");
        log.info("reading the spools, to tell devices what is in them before the shards start", {
          shards,
          before: before?.shards,
        });
        const handover = { config, files, clock, directories, told, states, limits };
        const readings = await handOverDevices(handover);
        log.info("devices may have other owners now: these were told what is in the spools", {
          shards,
          readings,
          ms: Math.round(clock.monotonic() - startMs),
        });
      } finally {
        states.close();
      }
    }
    const now = { shards, salts };
    await writeTold(files, paths.root, now);
    return now;
  } catch (cause) {
    // An older version did not note it, but has one spool a shard.
    const written = before?.shards ?? Math.max(-1, ...numbers.map(Number)) + 1;
    const stays = written > 0 && written !== shards;
    log.warn(
      `what the spools tell of devices cannot be written now${
        stays ? ": the number of shards stays as it was" : ""
      }`,
      { shards: stays ? written : shards, wanted: shards, cause },
    );
    return { shards: stays ? written : shards, salts: statesLost ? [] : before?.salts ?? [] };
  }
}

/** Without it all spools are read: that takes longer, and costs nothing else. */
async function readNote(files: Files, root: string): Promise<ToldSegments | undefined> {
  try {
    return await readTold(files, root);
  } catch (cause) {
    log.warn("the note of how many shards there were cannot be read; all spools are read instead", {
      file: toldFile(root),
      cause,
    });
    return undefined;
  }
}

function isThere(files: Files, path: string): boolean {
  const slash = path.lastIndexOf("/");
  return files.list(path.slice(0, slash)).files.includes(path.slice(slash + 1));
}
