/**
 * For tests: sends payloads through a topic table to their devices and shows what became of them.
 *
 * @module
 */
import { Device, type DeviceTools } from "../device.ts";
import { ChangeCounter } from "../device_changes.ts";
import { CodeLimit } from "../code_limit.ts";
import { CodeStateRoom } from "../code_state_room.ts";
import { DeviceCodeRunner } from "../device_code.ts";
import { ShapeTable } from "../device_values.ts";
import { Fingerprint } from "../fingerprint.ts";
import { WindowRoom } from "../fingerprint_window.ts";
import type { DeviceOutlet, Reading, TopicEntry } from "../reading.ts";
import type { RouteOptions } from "../route_builtin.ts";
import { compileRoutes } from "../route_table.ts";
import { CommitGroup, type GroupDevice } from "../spool/commit_group.ts";
import { TopicTable } from "../topic_table.ts";

/** What became of one reading. */
export type Fate =
  | { readonly kind: "points"; readonly lines: string[]; readonly fingerprint: string }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "dead"; readonly reason: string; readonly detail: string };

/** How a payload is sent; what is left out is 0. */
export interface Sent {
  readonly arrivalMs?: number;
  readonly flags?: number;
  readonly packetId?: number;
  readonly originHash?: number;
}

const utf8 = new TextEncoder();

export function deviceTools(): DeviceTools {
  return {
    shapes: new ShapeTable(),
    fingerprint: new Fingerprint(),
    codeRunner: new DeviceCodeRunner(new CodeLimit(60_000), 4_096),
    codeRoom: new CodeStateRoom({ deviceBytesMax: 4_096, bytesMax: 1 << 20, routes: new Set() }),
    changes: new ChangeCounter(),
    windowRoom: new WindowRoom(1 << 20),
    payloadBytesMax: 262_144,
  };
}

/** A reading of that payload, between other bytes as in a frame. */
export function readingOf(
  entry: TopicEntry,
  payload: string | Uint8Array,
  sent: Sent = {},
): Reading {
  const bytes = typeof payload === "string" ? utf8.encode(payload) : payload;
  const arrivalMs = sent.arrivalMs ?? 1_700_000_000_000;
  const data = utf8.encode("0".repeat(bytes.length + 7) + '9"}]');
  data.set(bytes, 7);
  return {
    batch: { data, arrivalMs, seenMs: arrivalMs },
    start: 7,
    end: 7 + bytes.length,
    flags: sent.flags ?? 0,
    packetId: sent.packetId ?? 0,
    originHash: sent.originHash ?? 0,
    entry,
  };
}

/** An outlet that notes the fate of the last reading. */
export class FateOutlet implements DeviceOutlet {
  readonly group = new CommitGroup();
  fate: Fate | undefined;
  #start = 0;

  clear(): void {
    this.fate = undefined;
  }

  lines = () => this.group.lines;

  points(_: Reading, device: GroupDevice, hi: number, lo: number): void {
    this.group.add(device, hi, lo);
    const { bytes, length } = this.group.lines;
    const lines = new TextDecoder().decode(bytes.subarray(this.#start, length)).split("\n");
    lines.pop();
    this.#start = length;
    this.fate = { kind: "points", lines, fingerprint: `${hi}/${lo}` };
  }
  duplicate(): void {
    this.fate = { kind: "duplicate" };
  }
  refused(_: Reading, reason: string): void {
    this.fate = { kind: "refused", reason };
  }
  dead(_: Reading, reason: string, detail: string): void {
    this.fate = { kind: "dead", reason, detail };
  }
}

/** Routes, a topic table and devices made on demand. */
export class ReadingPath {
  readonly topics: TopicTable;
  readonly devices = new Map<string, Device>();
  readonly tools = deviceTools();
  readonly outlet = new FateOutlet();

  constructor(routes: unknown = [], options: RouteOptions = { gatewayTag: false }) {
    this.topics = new TopicTable(compileRoutes(routes, options), { gatewayId: "gw1", hashSeed: 7 });
  }

  device(id: string): Device {
    let device = this.devices.get(id);
    if (device === undefined) {
      device = new Device(id, this.tools);
      this.devices.set(id, device);
    }
    return device;
  }

  send(topic: string, payload: string | Uint8Array, sent?: Sent): Fate {
    const bytes = utf8.encode(topic);
    const entry = this.topics.lookup(bytes, 0, bytes.length);
    if (entry.kind === "refused") return { kind: "refused", reason: entry.rejection.reason };
    this.outlet.fate = undefined;
    this.device(entry.deviceId).take(readingOf(entry, payload, sent), this.outlet);
    if (this.outlet.fate === undefined) throw new Error("the reading has no fate");
    return this.outlet.fate;
  }

  /** The lines that a reading became; none when it did not become any. */
  lines(topic: string, payload: string | Uint8Array, sent?: Sent): string[] {
    const fate = this.send(topic, payload, sent);
    return fate.kind === "points" ? fate.lines : [];
  }
}
