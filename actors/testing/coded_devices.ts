/**
 * For tests: device actors that run code, with a clock that is moved by hand.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ActorRef } from "../../runtime/actor.ts";
import type { Keyed } from "../../runtime/keyed.ts";
import { TestSystem } from "../../runtime/testing/test_system.ts";
import { CodeLimit } from "../code_limit.ts";
import { CodeStrikes } from "../code_strikes.ts";
import type { DeviceTools } from "../device.ts";
import { DeviceActor } from "../device_actor.ts";
import { type DeviceCode, DeviceCodeRunner } from "../device_code.ts";
import { DeviceDirectory } from "../device_directory.ts";
import { loadDeviceCodes } from "../device_module.ts";
import type { Reading } from "../reading.ts";
import type { CompiledRoute } from "../route.ts";
import { TopicTable } from "../topic_table.ts";
import { deviceTools, type Fate, FateOutlet, readingOf } from "./readings.ts";

export interface CodedDevicesOptions {
  readonly routes: readonly CompiledRoute[];
  /** What the module of the routes exports. */
  readonly Device: new (kept: never) => DeviceCode;
  /** How long its code may take; a minute unless told. */
  readonly limitMs?: number;
  /** What an earlier start saved. */
  readonly saved?: Iterable<readonly [id: string, saved: string]>;
  /** Devices whose code is not run. */
  readonly suspects?: readonly string[];
}

/** Its devices are put to rest after a second. End it by `test.stop()`. */
export class CodedDevices {
  readonly test = new TestSystem();
  readonly tools: DeviceTools;
  readonly directory: DeviceDirectory;
  readonly devices: Keyed<Reading>;
  readonly outlet = new FateOutlet();
  readonly strikes: CodeStrikes;
  readonly #topics: TopicTable;
  readonly #refs = new Map<string, ActorRef<Reading>>();

  private constructor(
    { routes, saved = [], suspects = [] }: CodedDevicesOptions,
    codes: Awaited<ReturnType<typeof loadDeviceCodes>>,
    limit: CodeLimit,
  ) {
    const { test, outlet } = this;
    this.tools = { ...deviceTools(), codeRunner: new DeviceCodeRunner(limit, 4_096) };
    const directory = new DeviceDirectory(this.tools, {
      knownMax: 100,
      silentAfterMs: 1,
      offlineAfterMs: 2,
      now: () => test.clock.now(),
    });
    for (const [id, row] of saved) directory.load(id, row);
    this.directory = directory;
    this.#topics = new TopicTable(routes, { gatewayId: "gw", hashSeed: 1 });
    const strikes = this.strikes = new CodeStrikes(suspects);
    const options = { directory, outlet, codes, strikes };
    this.devices = test.system.spawnKeyed<Reading>({
      id: "devices",
      kind: "device",
      idleMs: 1_000,
      start: (key) => new DeviceActor(key, options),
    });
  }

  static async start(options: CodedDevicesOptions): Promise<CodedDevices> {
    const { routes, Device, limitMs = 60_000 } = options;
    const limit = new CodeLimit(limitMs);
    const codes = await loadDeviceCodes(routes, () => Promise.resolve({ Device }), limit);
    return new CodedDevices(options, codes, limit);
  }

  /** Puts a reading into its device's mailbox. */
  readonly tell = (topic: string, payload: string): void => {
    const { test, outlet } = this;
    const bytes = new TextEncoder().encode(topic);
    const entry = this.#topics.lookup(bytes, 0, bytes.length);
    assert.ok(entry.kind === "topic");
    const ref = this.#refs.get(entry.deviceId) ?? this.devices.ref(entry.deviceId);
    this.#refs.set(entry.deviceId, ref);
    outlet.clear();
    assert.equal(ref.tell(readingOf(entry, payload, { arrivalMs: test.clock.now() })), "accepted");
  };

  /** What becomes of a reading; nothing: it crashes the actor. */
  readonly send = (topic: string, payload: string): Fate | undefined => {
    this.tell(topic, payload);
    this.test.run();
    return this.outlet.fate;
  };
}
