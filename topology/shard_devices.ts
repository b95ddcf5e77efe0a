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
import type { DeviceCodeRunner } from "../actors/device_code.ts";
import { DeviceDirectory } from "../actors/device_directory.ts";
import { type DeviceCodes, loadDeviceCodes } from "../actors/device_module.ts";
import { hashText } from "../actors/fingerprint.ts";
import type { OwnedReading } from "../actors/owned_batch.ts";
import type { Rates } from "../actors/rates/rates.ts";
import type { DeviceOutlet, TopicEntry } from "../actors/reading.ts";
import { recoverRecord } from "../actors/recover_record.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { Completion } from "../actors/spool/commit_group.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import type { Release } from "../gateways/http/control.ts";
import { logger } from "../gateways/log/log.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { SteadyTime } from "../runtime/steady_time.ts";
import type { Keyed } from "../runtime/keyed.ts";
import { KeyedRef } from "../runtime/keyed_ref.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { dataPaths } from "./data_directory.ts";
import type { DataFlowTap } from "./data_flow_tap.ts";
import { DeviceFile } from "./device_file.ts";
import { DeviceSaves } from "./device_saves.ts";
import { makeDeviceTools } from "./device_tools.ts";
import { DeviceViews } from "./device_views.ts";
import { devicesKnownMax, type ShardLimits } from "./limits.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("devices");

/** Readings told to one device and not yet taken: beyond it the walk of the batch waits. */
const deviceMailMax = 1_024;

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
  /** For those who ask. */
  readonly views: DeviceViews;
  readonly #init: DevicesInit;
  readonly #system: ActorSystem;
  readonly #time: SteadyTime;
  readonly #directory: DeviceDirectory;
  readonly #file: DeviceFile;
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
    this.#codeRunner = tools.codeRunner;
    this.#directory = new DeviceDirectory(tools, {
      silentAfterMs: device.silentAfterMs,
      offlineAfterMs: device.offlineAfterMs,
      knownMax: Math.ceil(devicesKnownMax(init.config) / init.shards),
      now: () => this.#time.now(),
    });
    this.#file = new DeviceFile({
      path: dataPaths(init.config.dataDir).devices,
      // The spool tells again what devices are known by, but not what code has kept.
      synchronous: codes.size > 0 ? "NORMAL" : "OFF",
      directory: this.#directory,
      time: this.#time,
      owns: (id) => this.#owns(id),
    });
    this.views = new DeviceViews({
      shard: init.shard,
      directory: this.#directory,
      time: this.#time,
      isQuarantined: (id) => this.#isQuarantined(id),
      waitMs: (id) => this.#rates?.deviceWaitMs(id) ?? 0,
    });
    this.#saves = new DeviceSaves({
      directory: this.#directory,
      changes: tools.changes,
      clock: system.clock,
      time: this.#time,
      durable: (completion) => this.#durable(completion),
      save: (devices) => this.#file.save(devices),
    });
  }

  /** What was saved of the devices was read at the start, and none of it had to be forgotten. */
  get statesKnown(): boolean {
    return this.#file.isRead && this.#directory.forgotten === 0;
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
    await devices.#file.load();
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
    this.#file.close();
  }

  #isQuarantined(id: string): boolean {
    return this.#keyed?.isQuarantined(id) || this.#isOut(id);
  }

  /** Its code is not run, also while its actor is none of the quarantined. */
  #isOut(id: string): boolean {
    // After a start every shard is told of all that were found guilty.
    return this.#strikes.out(id) && this.#owns(id);
  }

  #owns(id: string): boolean {
    const { shard, shards } = this.#init;
    return hashText(id) % shards === shard;
  }
}
