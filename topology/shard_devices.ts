/**
 * The devices that a shard owns: an actor each, made when the first reading comes, put aside when
 * idle, and known over restarts.
 *
 * @module
 */
import { CodeLimit } from "../actors/code_limit.ts";
import { CodeStateRoom } from "../actors/code_state_room.ts";
import { CodeStrikes } from "../actors/code_strikes.ts";
import { CodeTrace } from "../actors/code_trace.ts";
import { DeviceActor } from "../actors/device_actor.ts";
import { fnv1a } from "../actors/device_changes.ts";
import type { DeviceCodeRunner } from "../actors/device_code.ts";
import { DeviceDirectory, type DirectoryEntry } from "../actors/device_directory.ts";
import { shiftSaved } from "../actors/device_saved.ts";
import { type DeviceCodes, loadDeviceCodes } from "../actors/device_module.ts";
import { hashBytes } from "../actors/fingerprint.ts";
import type { OwnedReading } from "../actors/owned_batch.ts";
import type { Rates } from "../actors/rates/rates.ts";
import type { DeviceOutlet, TopicEntry } from "../actors/reading.ts";
import { recoverRecord } from "../actors/recover_record.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import type { DeviceQuery, DeviceView, Page, Presence, Release } from "../gateways/http/control.ts";
import type { ChangesQuery, DeviceChanges, DeviceTally } from "../gateways/http/live/source.ts";
import { logger } from "../gateways/log/log.ts";
import { DeviceStates } from "../gateways/store/device_states.ts";
import type { ActorRef } from "../runtime/actor.ts";
import type { Clock } from "../runtime/clock.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import type { Keyed } from "../runtime/keyed.ts";
import { KeyedRef } from "../runtime/keyed_ref.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { setImmediate } from "node:timers";
import { dataPaths } from "./data_directory.ts";
import type { DataFlowTap } from "./data_flow_tap.ts";
import { DeviceSaves } from "./device_saves.ts";
import { makeDeviceTools } from "./device_tools.ts";
import { devicesKnownMax, type ShardLimits } from "./limits.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("devices");
const encoder = new TextEncoder();

/** Devices that are loaded before other events have their turn. */
const loadChunk = 5_000;
/** Readings told to one device and not yet taken: beyond it the walk of the batch waits. */
const deviceMailMax = 1_024;

/** One answer about changes: a link's message may have twice as much. */
const changesBytesMax = 512 * 1024;

/** About what a device takes in a message. */
function viewBytes({ device: { id, values, lastError } }: DirectoryEntry): number {
  let bytes = 256 + 3 * id.length + (lastError?.detail.length ?? 0) * 3;
  for (let i = 0; i < values.count; i++) bytes += 16 + 3 * values.name(i).length;
  return bytes;
}

type DevicesInit = Pick<ShardInit, "shard" | "shards" | "config" | "codeTrace" | "suspects">;

export interface ShardDevicesOptions {
  readonly init: DevicesInit;
  readonly system: ActorSystem;
  readonly limits: ShardLimits;
  /** Told what is being opened. */
  readonly stage: (stage: string) => void;
}

/** See the module. */
export class ShardDevices {
  readonly #init: DevicesInit;
  readonly #system: ActorSystem;
  readonly #clock: Clock;
  readonly #time: SteadyTime;
  readonly #directory: DeviceDirectory;
  /** Absent while its file cannot be opened: it is tried again with each save. */
  #states: DeviceStates | undefined;
  #statesKnown = false;
  readonly #codes: DeviceCodes;
  #keyed: Keyed<OwnedReading> | undefined;
  #rates: Rates | undefined;
  #durable: (completion: Completion) => void = () => {};
  readonly #saves: DeviceSaves;
  readonly #codeRunner: DeviceCodeRunner;
  readonly #codeRoom: CodeStateRoom;
  readonly #strikes: CodeStrikes;

  private constructor(
    { init, system, limits }: ShardDevicesOptions,
    codes: DeviceCodes,
    routes: readonly CompiledRoute[],
    tap: DataFlowTap | undefined,
  ) {
    const { device } = init.config;
    this.#init = init;
    this.#system = system;
    this.#clock = system.clock;
    this.#time = new SteadyTime(system.clock);
    this.#codes = codes;
    this.#strikes = new CodeStrikes(init.suspects);
    this.#codeRoom = new CodeStateRoom({
      deviceBytesMax: device.codeStateBytesMax,
      bytesMax: limits.codeStateBytes,
      routes: new Set(routes.filter(({ index }) => codes.has(index)).map(({ name }) => name)),
      onRefused: (device, route, { message: problem }) =>
        log.warn("what the code of a device wants kept is not; what it kept before stays", {
          device,
          route,
          problem,
        }),
    });
    const tools = makeDeviceTools(init.config, limits.windowBytes, this.#codeRoom, tap);
    const { changes } = tools;
    this.#codeRunner = tools.codeRunner;
    this.#directory = new DeviceDirectory(tools, {
      silentAfterMs: device.silentAfterMs,
      offlineAfterMs: device.offlineAfterMs,
      knownMax: Math.ceil(devicesKnownMax(init.config) / init.shards),
      now: () => this.#time.now(),
    });
    this.#saves = new DeviceSaves({
      directory: this.#directory,
      changes,
      clock: this.#clock,
      time: this.#time,
      durable: (completion) => this.#durable(completion),
      save: (devices) => this.#open().save(this.#inWallTime(devices)),
    });
  }

  /** What was saved of the devices was read at the start, and none of it had to be forgotten. */
  get statesKnown(): boolean {
    return this.#statesKnown && this.#directory.forgotten === 0;
  }

  /** Steady time, ms: what was accepted by then is saved, the rest must be found in the spool. */
  get savedUpToMs(): number {
    return this.#saves.upToMs;
  }

  /** Loads the routes' code and what was saved of this shard's devices. */
  static async open(
    options: ShardDevicesOptions,
    routes: readonly CompiledRoute[],
    tap?: DataFlowTap,
  ): Promise<ShardDevices> {
    const base = new URL(`file://${Deno.cwd()}/`);
    options.stage("the modules of its routes are loaded");
    const codes = await loadDeviceCodes(
      routes,
      (module) => import(new URL(module, base).href),
      new CodeLimit(options.init.config.device.codeTimeoutMs),
    );
    const devices = new ShardDevices(options, codes, routes, tap);
    options.stage("what was saved of its devices is read");
    await devices.#load();
    return devices;
  }

  /** Starts the actors' group, and saving. `durable` completes when what was accepted is on the disk. */
  start(
    outlet: DeviceOutlet<OwnedReading>,
    rates: Rates | undefined,
    durable: (completion: Completion) => void,
  ): void {
    this.#rates = rates;
    this.#durable = durable;
    const { device } = this.#init.config;
    this.#directory.passivateAll();
    const options = {
      directory: this.#directory,
      outlet,
      codes: this.#codes,
      trace: new CodeTrace(this.#init.codeTrace),
      strikes: this.#strikes,
    };
    this.#keyed = this.#system.spawnKeyed<OwnedReading>({
      id: "devices",
      kind: "device",
      idleMs: device.passivateAfterMs,
      activeMax: Math.ceil(device.activeMax / this.#init.shards),
      mailbox: { countMax: deviceMailMax },
      start: (id) => new DeviceActor(id, options),
    });
    this.#saves.start();
  }

  /** By which devices are silent, and saved. */
  get time(): SteadyTime {
    return this.#time;
  }

  /** The steady time of an arrival. */
  seenMs(arrivalMs: number): number {
    return this.#time.of(arrivalMs);
  }

  /** The device of a topic. The topic's entry keeps the handle. */
  refOf(entry: TopicEntry): ActorRef<OwnedReading> {
    if (entry.handle instanceof KeyedRef) return entry.handle;
    const ref = this.#keyed!.ref(entry.deviceId);
    entry.handle = ref;
    return ref;
  }

  /**
   * A record that was found in the spool, unless its segment was told to the devices before: its
   * readings are known should they come again, however old it is, for what it holds may not have been
   * saved. It may hold what is known already. Devices that another shard owns, since the number of
   * shards was another one, are left out: their owner finds them saved, see topology/spool_owners.ts.
   */
  recovered(record: SpoolRecord): void {
    const seenMs = this.#time.of(record.committedMs);
    const own = (id: string) => this.#owns(id) ? this.#directory.activate(id) : undefined;
    if (recoverRecord(record, seenMs, own)) this.#saves.found(seenMs);
  }

  presence(): Record<Presence, number> {
    return this.#directory.tally();
  }

  list({ quarantined, ...query }: DeviceQuery): Page<DeviceView> {
    const only = quarantined && { only: (id: string) => this.#isQuarantined(id) };
    const { items, next } = this.#directory.list({ ...query, ...only });
    const views = items.map((entry) => this.#view(entry));
    return next === undefined ? { items: views } : { items: views, next };
  }

  /** The devices that changed: see {@linkcode DeviceDirectory.changedAfter}. */
  changes({ since, device, prefix, having }: ChangesQuery): DeviceChanges {
    let bytes = 0;
    const wanted = (id: string) => (device === "" || id === device) && id.startsWith(prefix);
    const { entries, until, more } = this.#directory.changedAfter(
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
    this.#directory.each((id, has) => {
      if (!wanted(id) || !having.every(has)) return;
      tally.devices++;
      tally.checksum = (tally.checksum ^ fnv1a(id)) >>> 0;
    });
    return tally;
  }

  find(id: string): DeviceView | undefined {
    const entry = this.#directory.find(id);
    return entry === undefined ? undefined : this.#view(entry);
  }

  /** Gives a quarantined device another chance, also one whose code is not run any more. */
  release(id: string): Release {
    const out = this.#isOut(id);
    if (this.#keyed?.release(id) || out) {
      this.#strikes.forgive(id);
      return "released";
    }
    return this.#directory.has(id) ? "not_quarantined" : "unknown";
  }

  /** Gauges by metric name. */
  gauges(): Record<string, number> {
    return {
      sluice_device_actors: this.#keyed?.active ?? 0,
      sluice_devices_known: this.#directory.size,
      sluice_device_code_states_bytes: this.#codeRoom.bytes,
    };
  }

  counters(): Record<string, number> {
    return {
      sluice_device_activations_total: this.#keyed?.activations ?? 0,
      sluice_devices_forgotten_total: this.#directory.forgotten,
      sluice_device_code_late_points_total: this.#codeRunner.latePoints,
      sluice_device_code_timeouts_total: this.#strikes.timeouts,
      ...this.#codeRoom.counters(),
    };
  }

  /** The actors have ended: saves what is left, if what devices have accepted is on the disk. */
  close(isDurable: boolean): void {
    this.#saves.close(isDurable);
    this.#states?.close();
  }

  #isQuarantined(id: string): boolean {
    return this.#keyed?.isQuarantined(id) || this.#isOut(id);
  }

  /** Its code is not run, also while its actor is none of the quarantined. */
  #isOut(id: string): boolean {
    // After a start every shard is told of all that were found guilty.
    return this.#strikes.out(id) && this.#owns(id);
  }

  /** Whoever reads them next begins with the wall clock, in this process or in another. */
  #inWallTime(devices: readonly [id: string, saved: string][]): readonly [string, string][] {
    const setByMs = this.#time.toWall(0);
    if (setByMs === 0) return devices;
    return devices.map(([id, saved]) => [id, shiftSaved(saved, setByMs)]);
  }

  #owns(id: string): boolean {
    const { shard, shards } = this.#init;
    const bytes = encoder.encode(id);
    return hashBytes(bytes, 0, bytes.length) % shards === shard;
  }

  #open(): DeviceStates {
    // The spool tells again what devices are known by, but not what code has kept.
    const synchronous = this.#codes.size > 0 ? "NORMAL" : "OFF";
    this.#states ??= new DeviceStates(dataPaths(this.#init.config.dataDir).devices, synchronous);
    return this.#states;
  }

  async #load(): Promise<void> {
    try {
      await this.#loadFrom(this.#open());
      this.#statesKnown = true;
    } catch (cause) {
      log.warn("what was saved of the devices cannot be read; they are known by the spool only", {
        cause,
      });
    }
  }

  async #loadFrom(states: DeviceStates): Promise<void> {
    let seen = 0;
    for (const [id, saved] of states.all()) {
      // A million of them take seconds: the host must see that this Worker is alive.
      if (++seen % loadChunk === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (!this.#owns(id)) continue;
      try {
        this.#directory.load(id, saved);
      } catch (cause) {
        log.warn("what was saved of a device cannot be read; it starts anew", {
          device: id,
          cause,
        });
      }
    }
  }

  #view({ device, presence }: DirectoryEntry): DeviceView {
    const values: [string, number][] = [];
    const limitedForMs = Math.ceil(this.#rates?.deviceWaitMs(device.id) ?? 0);
    for (let i = 0; i < device.values.count; i++) {
      values.push([device.values.name(i), device.values.value(i)]);
    }
    return {
      id: device.id,
      shard: this.#init.shard,
      presence,
      lastSeenMs: Math.round(this.#time.toWall(device.lastSeenMs)),
      values: Object.fromEntries(values),
      counters: {
        accepted: device.accepted,
        duplicate: device.duplicates,
        refused: device.refused,
        dead_lettered: device.deadLettered,
      },
      ...(limitedForMs > 0 && { limitedForMs }),
      ...(this.#isQuarantined(device.id) && { quarantined: true }),
      ...(device.lastError === undefined ? {} : { lastError: device.lastError }),
    };
  }
}
