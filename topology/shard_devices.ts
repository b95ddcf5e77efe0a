/**
 * The devices that a shard owns: an actor each, made when the first reading comes, put aside when
 * idle, and known over restarts.
 *
 * @module
 */
import { Device, type DeviceTools } from "../actors/device.ts";
import { type DeviceCode, DeviceCodeRunner } from "../actors/device_code.ts";
import { ShapeTable } from "../actors/device_values.ts";
import { Fingerprint } from "../actors/fingerprint.ts";
import type { OwnedReading } from "../actors/owned_batch.ts";
import type { DeviceOutlet, TopicEntry } from "../actors/reading.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import type { DeviceQuery, DeviceView, Page, Presence } from "../gateways/http/control.ts";
import type { ActorRef } from "../runtime/actor.ts";
import type { Keyed } from "../runtime/keyed.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { ShardInit } from "./shard_protocol.ts";

/** See the module. */
export class ShardDevices {
  readonly #init: ShardInit;
  readonly #system: ActorSystem;
  readonly #devices = new Map<string, Device>();
  readonly #refs = new Map<TopicEntry, ActorRef<OwnedReading>>();
  readonly #tools: DeviceTools = {
    shapes: new ShapeTable(),
    fingerprint: new Fingerprint(),
    codeRunner: new DeviceCodeRunner(),
  };
  #keyed: Keyed<OwnedReading> | undefined;

  private constructor(init: ShardInit, system: ActorSystem) {
    this.#init = init;
    this.#system = system;
  }

  static open(init: ShardInit, system: ActorSystem): Promise<ShardDevices> {
    return Promise.resolve(new ShardDevices(init, system));
  }

  start(outlet: DeviceOutlet<OwnedReading>): void {
    const { device } = this.#init.config;
    this.#keyed = this.#system.spawnKeyed<OwnedReading>({
      id: "devices",
      kind: "device",
      idleMs: device.passivateAfterMs,
      activeMax: Math.ceil(device.activeMax / this.#init.shards),
      mailbox: { countMax: 1_024 },
      start: (key) => {
        let device = this.#devices.get(key);
        if (device === undefined) {
          device = new Device(key, this.#tools);
          this.#devices.set(key, device);
        }
        const own = device;
        return { receive: (reading) => own.take(reading, outlet) };
      },
    });
  }

  refOf(entry: TopicEntry): ActorRef<OwnedReading> {
    let ref = this.#refs.get(entry);
    if (ref === undefined) {
      ref = this.#keyed!.ref(entry.deviceId);
      this.#refs.set(entry, ref);
    }
    return ref;
  }

  recovered(_record: SpoolRecord): void {}

  presence(): Record<Presence, number> {
    return { online: this.#devices.size, silent: 0, offline: 0 };
  }

  list(query: DeviceQuery): Page<DeviceView> {
    const items = [...this.#devices.keys()].sort().slice(0, query.limit).map((id) => this.find(id))
      .filter((view) => view !== undefined);
    return { items };
  }

  find(id: string): DeviceView | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    const values: Record<string, number> = {};
    for (let i = 0; i < device.values.count; i++) {
      values[device.values.name(i)] = device.values.value(i);
    }
    return {
      id,
      shard: this.#init.shard,
      presence: "online",
      lastSeenMs: device.lastSeenMs,
      values,
      counters: {
        accepted: device.accepted,
        duplicate: device.duplicates,
        refused: device.refused,
        dead_lettered: device.deadLettered,
      },
      ...(device.lastError === undefined ? {} : { lastError: device.lastError }),
    };
  }

  close(): void {}
}
export type { DeviceCode };
