/**
 * Every device a shard knows: the active ones as they are, the others at rest. Bounded: beyond the
 * limit the device that was put to rest first is forgotten, and counted.
 *
 * @module
 */
import { Device, type DeviceTools } from "./device.ts";
import { lastChangeOf } from "./device_changes.ts";
import { type DevicePresence, presenceOf, type PresenceTimeouts } from "./device_presence.ts";
import { restoreDevice, saveDevice, savedHasValue, savedLastSeenMs } from "./device_saved.ts";
import { inOrder } from "./in_order.ts";

export interface DirectoryOptions extends PresenceTimeouts {
  /**
   * Devices known at most, active ones included; active ones are never forgotten. Fewer when their
   * ids and states are long: a KiB each on average.
   */
  readonly knownMax: number;
  /**
   * When those at rest take so many characters, the next ones remember fewer of their old readings;
   * half of what they may take unless told.
   */
  readonly shortFrom?: number;
  /** Steady time in ms: what a device's last reading is compared with. */
  now(): number;
}

/** Pages of ids that gather before they are sorted, and all but the first forgotten. */
const sortedAtOnce = 4;

/** Devices in the order of their ids. */
export interface DirectoryQuery {
  readonly limit: number;
  /** Begin behind this id. */
  readonly after?: string;
  readonly presence?: DevicePresence;
  readonly idPrefix?: string;
  /** Only ids that have it somewhere, in upper or lower case. */
  readonly idPart?: string;
  /** Leaves out the others. */
  readonly only?: (id: string) => boolean;
}

/** A known device; `device` is a copy when it is at rest. */
export interface DirectoryEntry {
  readonly device: Device;
  readonly presence: DevicePresence;
}

/** Part of the devices that changed; `until` is the `since` that goes on with the others. */
export interface ChangedDevices {
  readonly entries: readonly DirectoryEntry[];
  readonly until: number;
  /** There are others already. */
  readonly more: boolean;
}

/** Room at rest for each device that may be known; most take a third of it. */
export const charsPerDevice = 1_024;

/** See the module. */
export class DeviceDirectory {
  readonly #tools: DeviceTools;
  readonly #options: DirectoryOptions;
  readonly #active = new Map<string, Device>();
  /** In the order in which they were put to rest. */
  readonly #resting = new Map<string, string>();
  /** The last change before rest, of those whose change may not be written down yet. */
  readonly #restedNo = new Map<string, number>();
  /** Characters of ids and states at rest. */
  #restingChars = 0;
  /** Devices forgotten, because there were too many. */
  forgotten = 0;

  constructor(tools: DeviceTools, options: DirectoryOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  /** Devices known. */
  get size(): number {
    return this.#active.size + this.#resting.size;
  }

  has(id: string): boolean {
    return this.#active.has(id) || this.#resting.has(id);
  }

  /** The device of that id, active from now on. */
  activate(id: string): Device {
    let device = this.#active.get(id);
    if (device !== undefined) return device;
    const saved = this.#resting.get(id);
    if (saved === undefined) device = new Device(id, this.#tools);
    else device = restoreDevice(id, saved, this.#tools, this.#options.now());
    if (saved !== undefined) this.#takeFromRest(id, saved);
    this.#active.set(id, device);
    this.#trim();
    return device;
  }

  /** Puts a device to rest. */
  passivate(id: string): void {
    const device = this.#active.get(id);
    if (device === undefined) return;
    this.#active.delete(id);
    if (device.changeNo > 0) this.#restedNo.set(id, device.changeNo);
    const { knownMax, shortFrom = knownMax * charsPerDevice / 2 } = this.#options;
    const short = this.#restingChars > shortFrom;
    this.#putToRest(id, saveDevice(device, this.#options.now(), short));
    device.release();
    this.#trim();
  }

  /** Puts all to rest: after recovery, and before the state is written down. */
  passivateAll(): void {
    for (const id of [...this.#active.keys()]) this.passivate(id);
  }

  /** Devices at rest as they are saved, to be written down. */
  saved(): IterableIterator<[id: string, saved: string]> {
    return this.#resting.entries();
  }

  /**
   * Devices that had a reading since then, or a change of a larger number, as they are saved, to be
   * written down bit by bit: in the order of their ids, so that rows of one page come together. All
   * changes up to that number are written down already.
   * `undefined` is a moment to let others have their turn.
   */
  *changedSince(
    steadyMs: number,
    changeNo: number,
  ): Generator<[id: string, saved: string] | undefined, void> {
    for (const id of inOrder(this.#idsSince(steadyMs, changeNo))) {
      if (id === undefined) {
        yield undefined;
        continue;
      }
      const device = this.#active.get(id);
      const saved = device === undefined
        ? this.#resting.get(id)
        : saveDevice(device, this.#options.now());
      if (saved !== undefined) yield [id, saved];
    }
  }

  /**
   * Takes a device that was written down before, unless it is known already.
   *
   * @throws {TypeError} when it is not a saved device.
   */
  load(id: string, saved: string): void {
    if (this.has(id)) return;
    const nowMs = this.#options.now();
    const device = restoreDevice(id, saved, this.#tools, nowMs);
    this.#putToRest(id, savedLastSeenMs(saved) > nowMs ? saveDevice(device, nowMs) : saved);
    device.release();
    this.#trim();
  }

  find(id: string): DirectoryEntry | undefined {
    const device = this.#active.get(id) ?? this.#atRest(id);
    return device && { device, presence: this.#presence(device.lastSeenMs) };
  }

  /** Part of the list; `next` is the `after` that goes on with it, absent at the end. */
  list(query: DirectoryQuery): { readonly items: DirectoryEntry[]; readonly next?: string } {
    const { limit, after, presence, idPrefix = "", only } = query;
    const idPart = query.idPart?.toLowerCase() ?? "";
    // One more than are asked for tells whether others follow. Of 100,000 not all are sorted.
    const ids: string[] = [];
    const most = limit + 1;
    let last: string | undefined;
    const consider = (id: string, lastSeenMs: () => number) => {
      if (last !== undefined && id >= last) return;
      if (!id.startsWith(idPrefix) || (after !== undefined && id <= after)) return;
      if (idPart !== "" && !id.toLowerCase().includes(idPart)) return;
      if (only !== undefined && !only(id)) return;
      if (presence === undefined || this.#presence(lastSeenMs()) === presence) ids.push(id);
      if (ids.length < sortedAtOnce * most) return;
      ids.sort();
      ids.length = most;
      last = ids.at(-1);
    };
    for (const [id, device] of this.#active) consider(id, () => device.lastSeenMs);
    for (const [id, saved] of this.#resting) consider(id, () => savedLastSeenMs(saved));
    ids.sort();
    const page = ids.slice(0, limit);
    const items = page.flatMap((id) => this.find(id) ?? []);
    const next = page.at(-1);
    return ids.length > page.length && next !== undefined ? { items, next } : { items };
  }

  /**
   * The devices that changed after `since` (a number that an earlier answer gave; 0: all), in the
   * order of their changes. One may come twice. `fits` ends the answer: what does not fit comes
   * with the next one.
   */
  changedAfter(
    since: number,
    wants: (id: string) => boolean,
    fits: (entry: DirectoryEntry) => boolean,
  ): ChangedDevices {
    const nowMs = this.#options.now();
    const until = this.#tools.changes.reach(nowMs);
    const changed: { readonly id: string; readonly at: number }[] = [];
    const consider = (id: string, changeNo: number, lastSeenMs: number) => {
      const presence = presenceOf(lastSeenMs, nowMs, this.#options);
      const at = lastChangeOf(id, changeNo, lastSeenMs, presence, this.#options);
      if (at > since && wants(id)) changed.push({ id, at });
    };
    for (const [id, device] of this.#active) consider(id, device.changeNo, device.lastSeenMs);
    for (const [id, saved] of this.#resting) consider(id, 0, savedLastSeenMs(saved));
    changed.sort((a, b) => a.at - b.at);
    const entries: DirectoryEntry[] = [];
    let reached = since;
    for (const [i, { id, at }] of changed.entries()) {
      const entry = this.find(id);
      if (entry === undefined) continue;
      // Those of one moment stay together, so that the next answer can begin behind it.
      const begins = i > 0 && changed[i - 1]!.at !== at;
      if (!fits(entry) && begins) return { entries, until: reached, more: true };
      entries.push(entry);
      reached = at;
    }
    return { entries, until, more: false };
  }

  /** Calls for every device that is known; `has` answers whether it has a value of that name. */
  each(visit: (id: string, has: (name: string) => boolean) => void): void {
    for (const [id, { values }] of this.#active) visit(id, (name) => values.has(name));
    for (const [id, saved] of this.#resting) {
      visit(id, (name) => savedHasValue(saved, JSON.stringify(name)));
    }
  }

  /** How many devices are how present. */
  tally(): Record<DevicePresence, number> {
    const tally = { online: 0, silent: 0, offline: 0 };
    for (const device of this.#active.values()) tally[this.#presence(device.lastSeenMs)]++;
    for (const saved of this.#resting.values()) tally[this.#presence(savedLastSeenMs(saved))]++;
    return tally;
  }

  *#idsSince(steadyMs: number, changeNo: number): Generator<string, void> {
    for (const [id, restedNo] of this.#restedNo) {
      if (restedNo <= changeNo) this.#restedNo.delete(id);
    }
    // Devices go to rest and come back meanwhile: each is looked for where it is when its turn comes.
    for (const id of [...this.#active.keys(), ...this.#resting.keys()]) {
      const device = this.#active.get(id);
      // What waited for long has arrived long ago.
      if (Math.max(device?.changeNo ?? 0, this.#restedNo.get(id) ?? 0) > changeNo) yield id;
      else if (this.#lastSeenMs(id, device) >= steadyMs) yield id;
    }
  }

  #lastSeenMs(id: string, device: Device | undefined): number {
    if (device !== undefined) return device.lastSeenMs;
    const saved = this.#resting.get(id);
    return saved === undefined ? -Infinity : savedLastSeenMs(saved);
  }

  #atRest(id: string): Device | undefined {
    const saved = this.#resting.get(id);
    if (saved === undefined) return undefined;
    const device = restoreDevice(id, saved, this.#tools, this.#options.now());
    // Only to be looked at, and nobody tells when that is over.
    device.release();
    return device;
  }

  #presence(lastSeenMs: number): DevicePresence {
    return presenceOf(lastSeenMs, this.#options.now(), this.#options);
  }

  #putToRest(id: string, saved: string): void {
    this.#resting.set(id, saved);
    this.#restingChars += id.length + saved.length;
  }

  #takeFromRest(id: string, saved: string): void {
    this.#resting.delete(id);
    this.#restingChars -= id.length + saved.length;
  }

  #trim(): void {
    const { knownMax } = this.#options;
    for (const [id, saved] of this.#resting) {
      if (this.size <= knownMax && this.#restingChars <= knownMax * charsPerDevice) return;
      this.#takeFromRest(id, saved);
      this.#restedNo.delete(id);
      this.forgotten++;
    }
  }
}
