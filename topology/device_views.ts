/**
 * What a shard tells of its devices, and of which of them: a page, one, or those that changed.
 *
 * @module
 */
import { fnv1a } from "../actors/device_changes.ts";
import type { DeviceDirectory, DirectoryEntry } from "../actors/device_directory.ts";
import type { DeviceQuery, DeviceView, Page, Presence } from "../gateways/http/control.ts";
import type { ChangesQuery, DeviceChanges, DeviceTally } from "../gateways/http/live/source.ts";
import type { SteadyTime } from "../runtime/steady_time.ts";

/** One answer about changes: a link's message may have twice as much. */
const changesBytesMax = 512 * 1024;

export interface DeviceViewsOptions {
  readonly shard: number;
  readonly directory: Pick<DeviceDirectory, "list" | "find" | "changedAfter" | "each" | "tally">;
  readonly time: Pick<SteadyTime, "toWall">;
  isQuarantined(id: string): boolean;
  /** How long its rate holds a device, in ms. */
  waitMs(id: string): number;
}

/** See the module. */
export class DeviceViews {
  readonly #options: DeviceViewsOptions;

  constructor(options: DeviceViewsOptions) {
    this.#options = options;
  }

  presence(): Record<Presence, number> {
    return this.#options.directory.tally();
  }

  list({ quarantined, ...query }: DeviceQuery): Page<DeviceView> {
    const { directory, isQuarantined } = this.#options;
    const only = quarantined && { only: isQuarantined };
    const { items, next } = directory.list({ ...query, ...only });
    const views = items.map((entry) => this.#view(entry));
    return next === undefined ? { items: views } : { items: views, next };
  }

  find(id: string): DeviceView | undefined {
    const entry = this.#options.directory.find(id);
    return entry === undefined ? undefined : this.#view(entry);
  }

  /** The devices that changed: see {@linkcode DeviceDirectory.changedAfter}. */
  changes({ since, device, prefix, having }: ChangesQuery): DeviceChanges {
    let bytes = 0;
    const wanted = (id: string) => (device === "" || id === device) && id.startsWith(prefix);
    const { entries, until, more } = this.#options.directory.changedAfter(
      since,
      wanted,
      (entry) => (bytes += viewBytes(entry)) <= changesBytesMax,
    );
    const devices = entries.map((entry) => this.#view(entry));
    const changes = { devices, until, more };
    return having === undefined ? changes : { ...changes, tally: this.#count(wanted, having) };
  }

  /** How many devices there are, and all of their ids as one number. */
  #count(wanted: (id: string) => boolean, having: readonly string[]): DeviceTally {
    const tally = { devices: 0, checksum: 0 };
    this.#options.directory.each((id, has) => {
      if (!wanted(id) || !having.every(has)) return;
      tally.devices++;
      tally.checksum = (tally.checksum ^ fnv1a(id)) >>> 0;
    });
    return tally;
  }

  #view({ device, presence }: DirectoryEntry): DeviceView {
    const { shard, time, isQuarantined, waitMs } = this.#options;
    const limitedForMs = Math.ceil(waitMs(device.id));
    const values: [string, number][] = [];
    for (let i = 0; i < device.values.count; i++) {
      values.push([device.values.name(i), device.values.value(i)]);
    }
    return {
      id: device.id,
      shard,
      presence,
      lastSeenMs: Math.round(time.toWall(device.lastSeenMs)),
      values: Object.fromEntries(values),
      counters: {
        accepted: device.accepted,
        duplicate: device.duplicates,
        refused: device.refused,
        dead_lettered: device.deadLettered,
      },
      ...(limitedForMs > 0 && { limitedForMs }),
      ...(isQuarantined(device.id) && { quarantined: true }),
      ...(device.lastError === undefined ? {} : { lastError: device.lastError }),
    };
  }
}

/** About what a device takes in a message. */
function viewBytes({ device: { id, values, lastError } }: DirectoryEntry): number {
  let bytes = 256 + 3 * id.length + (lastError?.detail.length ?? 0) * 3;
  for (let i = 0; i < values.count; i++) bytes += 16 + 3 * values.name(i).length;
  return bytes;
}
