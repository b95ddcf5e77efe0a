/**
 * The file of saved device states as a shard uses it: opened when it is needed, and its own devices
 * read from it at the start.
 *
 * @module
 */
import type { DeviceDirectory } from "../actors/device_directory.ts";
import { shiftSaved } from "../actors/device_saved.ts";
import { logger } from "../gateways/log/log.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import type { SteadyTime } from "../runtime/steady_time.ts";

const log = logger("devices");

/** Devices that are loaded before other events have their turn. */
const loadChunk = 5_000;

export interface DeviceFileOptions {
  readonly path: string;
  /** See {@linkcode DeviceStates}. */
  readonly synchronous: "NORMAL" | "OFF";
  readonly directory: Pick<DeviceDirectory, "load">;
  readonly time: Pick<SteadyTime, "toWall">;
  /** Leaves out the others, of other shards. */
  owns(id: string): boolean;
}

/** See the module. */
export class DeviceFile {
  readonly #options: DeviceFileOptions;
  /** Absent while the file cannot be opened: it is tried again with each save. */
  #states: DeviceStates | undefined;
  #isRead = false;

  constructor(options: DeviceFileOptions) {
    this.#options = options;
  }

  /** All that was saved was read at the start. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Puts the shard's devices into the directory. Never rejects: a file that cannot be read is told. */
  async load(): Promise<void> {
    try {
      await this.#loadFrom(this.#open());
      this.#isRead = true;
    } catch (cause) {
      log.warn("what was saved of the devices cannot be read; they are known by the spool only", {
        cause,
      });
    }
  }

  /** Saves devices in one transaction. Throws what the disk does. */
  save(devices: readonly [id: string, saved: string][]): void {
    this.#open().save(this.#inWallTime(devices));
  }

  close(): void {
    this.#states?.close();
  }

  #open(): DeviceStates {
    const { path, synchronous } = this.#options;
    return this.#states ??= new DeviceStates(path, synchronous);
  }

  async #loadFrom(states: DeviceStates): Promise<void> {
    const { directory, owns } = this.#options;
    let seen = 0;
    for (const [id, saved] of states.all()) {
      // A million of them take seconds: the host must see that this Worker is alive.
      if (++seen % loadChunk === 0) await eventLoopTurn();
      if (owns(id)) loadDevice(directory, id, saved);
    }
  }

  /** Whoever reads them next begins with the wall clock, in this process or in another. */
  #inWallTime(devices: readonly [id: string, saved: string][]): readonly [string, string][] {
    const setByMs = this.#options.time.toWall(0);
    if (setByMs === 0) return devices;
    return devices.map(([id, saved]) => [id, shiftSaved(saved, setByMs)]);
  }
}

/** A device whose row cannot be read starts anew. */
export function loadDevice(
  directory: Pick<DeviceDirectory, "load">,
  id: string,
  saved: string,
): void {
  try {
    directory.load(id, saved);
  } catch (cause) {
    log.warn("what was saved of a device cannot be read; it starts anew", { device: id, cause });
  }
}
