/**
 * Files of the data directory that a start can do without. Those that are damaged are put aside, and
 * what is lost with them is said once; for those of another program, or of a newer Sluice, the start
 * ends. The other files are told by whoever opens them.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { keptKind } from "../gateways/mqtt/kept/kept_schema.ts";
import { retainedKind } from "../gateways/mqtt/pubsub/retained_schema.ts";
import { checkKind, type FileKind, ForeignFileError } from "../gateways/sqlite/file_kind.ts";
import { putAsideIfDamaged } from "../gateways/sqlite/put_aside.ts";
import { deviceStatesKind } from "../gateways/store/device_states.ts";
import type { DataPaths } from "./data_directory.ts";

const log = logger("service");

const doneWithout = {
  devices: "what was saved of the devices is damaged and was put aside; they start anew",
  retained: "the retained messages are damaged and were put aside; there are none now",
  sessions: "the kept sessions are damaged and were put aside: their clients subscribe anew, and " +
    "what waited for them is lost",
} as const;

export type DispensableFile = keyof typeof doneWithout;

const kinds: Readonly<Record<DispensableFile, FileKind>> = {
  devices: deviceStatesKind,
  retained: retainedKind,
  sessions: keptKind,
};

/**
 * To be called before any Worker starts. Gives which were damaged.
 *
 * @throws {Error} for a file that is not for this Sluice; it says what to do.
 */
export function putDamagedAside(
  paths: Pick<DataPaths, DispensableFile>,
): ReadonlySet<DispensableFile> {
  const damaged = new Set<DispensableFile>();
  for (const name of ["devices", "retained", "sessions"] as const) {
    refuseForeign(paths[name], kinds[name]);
    const damage = putAsideIfDamaged(paths[name]);
    if (damage === undefined) continue;
    damaged.add(name);
    log.error(doneWithout[name], { file: `${paths[name]}.damaged`, damage });
  }
  return damaged;
}

function refuseForeign(file: string, kind: FileKind): void {
  try {
    checkKind(file, kind);
  } catch (cause) {
    if (!(cause instanceof ForeignFileError)) throw cause;
    throw new Error(
      `Cannot use the data directory: ${file}: ${cause.message}. Put another copy in its place, or ` +
        `move it away to begin anew`,
      { cause },
    );
  }
}
