/**
 * What the spools tell of devices, written into the file of saved states that all shards read: for a
 * start with another number of shards, when a device's owner is not the one any more in whose spool
 * its readings are.
 *
 * @module
 */
import { CodeStateRoom } from "../actors/code_state_room.ts";
import { hashText } from "../actors/fingerprint.ts";
import { recoverRecord } from "../actors/recover_record.ts";
import { DeviceDirectory } from "../actors/device_directory.ts";
import type { Files } from "../actors/segment_log/files.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import { scanSpool } from "../actors/spool/scan.ts";
import type { Config } from "../config.ts";
import type { DeviceStates } from "../gateways/store/device_states.ts";
import type { Clock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import { loadDevice } from "./device_file.ts";
import { makeDeviceTools } from "./device_tools.ts";
import type { HandoverLimits } from "./limits.ts";

/** Rows of one transaction: its log takes room on the disk. */
const saveMax = 2_000;

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
  /** When there is more than may be held, the spools are read more than once. */
  readonly limits: HandoverLimits;
}

/** Devices whose hash leaves this rest. */
interface Part {
  readonly of: number;
  readonly rest: number;
}

/** Gives how many readings were found. Rejects with what the disk, or SQLite, throws. */
export function handOverDevices(options: DeviceHandoverOptions): Promise<number> {
  return handOver(options, { of: 1, rest: 0 });
}

async function handOver(options: DeviceHandoverOptions, part: Part): Promise<number> {
  // What a pass held is gone before the next one begins.
  const readings = await onePass(options, part);
  if (readings !== undefined) return readings;
  const of = part.of * 2;
  await handOver(options, { of, rest: part.rest });
  return handOver(options, { of, rest: part.rest + part.of });
}

/** `undefined`: there is more than may be held, and nothing is saved. */
async function onePass(options: DeviceHandoverOptions, part: Part): Promise<number | undefined> {
  const { config, files, clock, directories, told, states, limits } = options;
  const { of, rest } = part;
  const time = new SteadyTime(clock);
  // Nobody's code runs here: what it kept is handed on.
  const codeRoom = new CodeStateRoom({ deviceBytesMax: 0, bytesMax: 0, routes: new Set() });
  const tools = makeDeviceTools(config, limits.windowBytes, codeRoom);
  const { slabs } = tools.windowRoom;
  const held = new DeviceDirectory(tools, {
    silentAfterMs: config.device.silentAfterMs,
    offlineAfterMs: config.device.offlineAfterMs,
    knownMax: Infinity, // They are written down, not forgotten.
    shortFrom: limits.shortFrom / of,
    now: () => time.now(),
  });
  const deviceOf = (id: string) => {
    if (of > 1 && hashText(id) % of !== rest) return undefined;
    const saved = held.has(id) ? undefined : states.get(id);
    if (saved !== undefined) loadDevice(held, id, saved);
    return held.activate(id);
  };
  let readings = 0;
  const visit = (record: SpoolRecord) => {
    recoverRecord(record, time.of(record.committedMs), deviceOf);
    readings += record.count;
    return held.size <= limits.devicesMax && slabs.bytes + codeRoom.bytes <= limits.heldBytes;
  };
  // All of a device's is in one spool, and in order there: what was taken over from others is told.
  for (const directory of directories) {
    if (!await scanSpool({ files, directory, without: told, visit })) return undefined;
  }
  held.passivateAll();
  const saved = [...held.saved()];
  for (let at = 0; at < saved.length; at += saveMax) states.save(saved.slice(at, at + saveMax));
  return readings;
}
