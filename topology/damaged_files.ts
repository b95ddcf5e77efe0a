/**
 * Files of the data directory that are damaged, and that a start can do without: they are put aside,
 * and what is lost with them is said once. The others are told by whoever opens them.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { putAsideIfDamaged } from "../gateways/sqlite/put_aside.ts";
import type { DataPaths } from "./data_directory.ts";

const log = logger("service");

const doneWithout = {
  devices: "what was saved of the devices is damaged and was put aside; they start anew",
  retained: "the retained messages are damaged and were put aside; there are none now",
  sessions: "the kept sessions are damaged and were put aside: their clients subscribe anew, and " +
    "what waited for them is lost",
} as const;

export type DispensableFile = keyof typeof doneWithout;

/** To be called before any Worker starts. Gives which were damaged. */
export function putDamagedAside(
  paths: Pick<DataPaths, DispensableFile>,
): ReadonlySet<DispensableFile> {
  const damaged = new Set<DispensableFile>();
  for (const name of ["devices", "retained", "sessions"] as const) {
    const damage = putAsideIfDamaged(paths[name]);
    if (damage === undefined) continue;
    damaged.add(name);
    log.error(doneWithout[name], { file: `${paths[name]}.damaged`, damage });
  }
  return damaged;
}
