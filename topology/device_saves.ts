/**
 * Writes down what has changed of a shard's devices: soon after the start, every 10 s, and at the
 * end. Says up to when everything is written down, because what is not must be found in the spool.
 *
 * @module
 */
import type { ChangeCounter } from "../actors/device_changes.ts";
import type { DeviceDirectory } from "../actors/device_directory.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import { logger } from "../gateways/log/log.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import type { SteadyTime } from "../runtime/steady_time.ts";

const log = logger("devices");

/** How often what has changed is saved, and how many devices at a time. */
export const saveIntervalMs = 10_000;
const chunkMax = 256;
/** Or, of devices whose code keeps much, so many characters. */
const chunkCharsMax = 1 << 20;
/** After a start what recovery found is saved early: the next crash may come as soon. */
const firstSaveMs = 1_000;

export interface DeviceSavesOptions {
  readonly directory: Pick<DeviceDirectory, "changedSince">;
  readonly changes: ChangeCounter;
  readonly clock: Clock;
  readonly time: SteadyTime;
  /** Completes when all that devices have accepted up to now is on the disk. */
  durable(completion: Completion): void;
  /** Throws what the disk does; the same is tried again with the next save. */
  save(devices: readonly [id: string, saved: string][]): void;
}

type Changed = Iterator<[id: string, saved: string] | undefined, unknown>;

/** See the module. */
export class DeviceSaves {
  readonly #options: DeviceSavesOptions;
  /** What was saved last as a whole had changed before: in steady time, and in order. */
  #steadyMs: number;
  #changeNo = 0;
  #upToMs = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: DeviceSavesOptions) {
    this.#options = options;
    this.#steadyMs = options.time.now();
  }

  /** Steady time, ms: all that devices had accepted by then is saved. 0 before the first save. */
  get upToMs(): number {
    return this.#upToMs;
  }

  /** Recovery found a reading of that steady time: its device is to be saved. */
  found(seenMs: number): void {
    this.#steadyMs = Math.min(this.#steadyMs, seenMs);
  }

  start(): void {
    this.#later(firstSaveMs);
  }

  /** Saves what is left, at once, if all that devices have accepted is on the disk: else it is not. */
  close(isDurable: boolean): void {
    this.#closed = true;
    this.#timer?.clear();
    if (isDurable) this.#try([...this.#changed()].filter((device) => device !== undefined));
  }

  #changed(): Generator<[string, string] | undefined, void> {
    // A reading may have waited since it arrived.
    return this.#options.directory.changedSince(this.#steadyMs - saveIntervalMs, this.#changeNo);
  }

  #later(afterMs: number): void {
    const { clock, time, changes } = this.#options;
    this.#timer = clock.setTimer(afterMs, () => {
      const changed = this.#changed();
      const steadyMs = time.now();
      const changeNo = changes.reach(steadyMs);
      this.#some(changed, () => {
        this.#steadyMs = steadyMs;
        this.#changeNo = changeNo;
        this.#upToMs = steadyMs;
      });
    });
  }

  /** A chunk per turn of the event loop, so that no reading waits for all of them. */
  #some(changed: Changed, whole: () => void): void {
    const chunk: [string, string][] = [];
    let chars = 0;
    let next = changed.next();
    while (next.done !== true && next.value !== undefined) {
      chunk.push(next.value);
      chars += next.value[1].length;
      if (chunk.length === chunkMax || chars >= chunkCharsMax) break;
      next = changed.next();
    }
    if (chunk.length === 0 && next.done !== true) return this.#goOn(changed, whole);
    // They remember readings that are still on their way to the disk. Were those lost and these
    // kept, a reading that comes again would be taken for one that is stored.
    this.#options.durable({
      complete: () => {
        if (this.#closed) return;
        if (!this.#try(chunk)) return this.#later(saveIntervalMs);
        if (next.done === true) {
          whole();
          this.#later(saveIntervalMs);
        } else this.#goOn(changed, whole);
      },
    });
  }

  #goOn(changed: Changed, whole: () => void): void {
    this.#timer = this.#options.clock.setTimer(1, () => this.#some(changed, whole));
  }

  #try(devices: readonly [string, string][]): boolean {
    if (devices.length === 0) return true;
    try {
      this.#options.save(devices);
      return true;
    } catch (cause) {
      log.warn("the state of devices cannot be saved; it is tried again", { cause });
      return false;
    }
  }
}
