/**
 * What the spools tell of devices, written into the file of saved states that all shards read: for a
 * start with another number of shards, when a device's owner is not the one any more in whose spool
 * its readings are.
 *
 * @module
 */
import { recoverRecord } from "../actors/recover_record.ts";
import { DeviceDirectory } from "../actors/device_directory.ts";
import type { Files } from "../actors/segment_log/files.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import { scanSpool } from "../actors/spool/scan.ts";
import type { Config } from "../config.ts";
import { logger } from "../gateways/log/log.ts";
import type { DeviceStates } from "../gateways/store/device_states.ts";
import type { Clock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { makeDeviceTools } from "./device_tools.ts";

const log = logger("devices");

/** Devices held in memory before they are written down. */
const heldMax = 10_000;
/** What their older fingerprints may take. */
const windowBytes = 8 * 1024 * 1024;

export interface DeviceHandoverOptions {
  readonly config: Config;
  readonly files: Files;
  readonly clock: Clock;
  /** Spools that nobody has open. */
  readonly directories: readonly string[];
  /** Salts of segments that the saved states know. */
  readonly told: ReadonlySet<number>;
  /** Must make durable what it saves: the spools may be emptied then. */
  readonly states: Pick<DeviceStates, "get" | "save">;
}

/**
 * Gives how many readings were found, and the salts of all segments there are. Rejects with what the
 * disk, or SQLite, throws.
 */
export async function handOverDevices(
  options: DeviceHandoverOptions,
): Promise<{ readonly readings: number; readonly salts: readonly number[] }> {
  const { files, clock, directories, told, states } = options;
  const time = new SteadyTime(clock);
  let held = emptyDirectory(options, time);
  const save = () => {
    held.passivateAll();
    states.save([...held.saved()]);
    held = emptyDirectory(options, time);
  };
  const deviceOf = (id: string) => {
    const saved = held.has(id) ? undefined : states.get(id);
    if (saved !== undefined) loadInto(held, id, saved);
    return held.activate(id);
  };
  let readings = 0;
  const visit = (record: SpoolRecord) => {
    recoverRecord(record, time.of(record.committedMs), deviceOf);
    readings += record.count;
    if (held.size >= heldMax) save();
  };
  const salts: number[] = [];
  // All of a device's is in one spool, and in order there: what was taken over from others is told.
  for (const directory of directories) {
    salts.push(...await scanSpool({ files, directory, without: told, visit }));
  }
  save();
  return { readings, salts };
}

function emptyDirectory({ config }: DeviceHandoverOptions, time: SteadyTime): DeviceDirectory {
  const { silentAfterMs, offlineAfterMs } = config.device;
  return new DeviceDirectory(makeDeviceTools(config, windowBytes), {
    silentAfterMs,
    offlineAfterMs,
    knownMax: Infinity, // They are written down, not forgotten.
    now: () => time.now(),
  });
}

/** As it is when a shard loads it: what cannot be read starts anew. */
function loadInto(directory: DeviceDirectory, id: string, saved: string): void {
  try {
    directory.load(id, saved);
  } catch (cause) {
    log.warn("what was saved of a device cannot be read; it starts anew", { device: id, cause });
  }
}
