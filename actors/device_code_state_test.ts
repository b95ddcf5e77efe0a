import assert from "node:assert/strict";
import type { ActorRef } from "../runtime/actor.ts";
import { TestSystem } from "../runtime/testing/test_system.ts";
import { CodeLimit } from "./code_limit.ts";
import { CodeStrikes } from "./code_strikes.ts";
import { DeviceActor } from "./device_actor.ts";
import { type CodePoint, type DeviceCode, DeviceCodeRunner } from "./device_code.ts";
import { DeviceDirectory } from "./device_directory.ts";
import { loadDeviceCodes } from "./device_module.ts";
import type { Reading } from "./reading.ts";
import { compileRoutes } from "./route_table.ts";
import { deviceTools, FateOutlet, readingOf } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const text = new TextDecoder();
const routes = compileRoutes([
  { name: "own", topic: "own/{id}", measurement: "own", module: "own" },
], { gatewayTag: false });

/** Counts its readings; the payload says what goes wrong. */
class Counter implements DeviceCode {
  #count: number;
  #do = "";
  constructor(kept?: { readonly count: number }) {
    this.#count = kept?.count ?? 0;
  }
  onReading({ payload }: Parameters<DeviceCode["onReading"]>[0], emit: (point: CodePoint) => void) {
    this.#do = text.decode(payload);
    this.#count++;
    if (this.#do === "throw") throw new Error("told to fail");
    if (this.#do !== "silent") emit({ fields: { count: this.#count } });
  }
  save() {
    if (this.#do === "throw in save") throw new Error("told to fail");
    while (this.#do === "spin in save");
    if (this.#do === "as before") return undefined;
    return { count: this.#count, much: this.#do === "much" ? "x".repeat(5_000) : undefined };
  }
}

interface StartOptions {
  readonly Device?: new (kept: never) => DeviceCode;
  readonly limitMs?: number;
  /** What an earlier start saved. */
  readonly saved?: Iterable<readonly [id: string, saved: string]>;
}

async function start({ Device = Counter, limitMs = 60_000, saved = [] }: StartOptions = {}) {
  const test = new TestSystem();
  const limit = new CodeLimit(limitMs);
  const codes = await loadDeviceCodes(routes, () => Promise.resolve({ Device }), limit);
  const topics = new TopicTable(routes, { gatewayId: "gw", hashSeed: 1 });
  const tools = { ...deviceTools(), codeRunner: new DeviceCodeRunner(limit, 4_096) };
  const directory = new DeviceDirectory(tools, {
    knownMax: 100,
    silentAfterMs: 1,
    offlineAfterMs: 2,
    now: () => test.clock.now(),
  });
  for (const [id, row] of saved) directory.load(id, row);
  const outlet = new FateOutlet();
  const options = { directory, outlet, codes, strikes: new CodeStrikes([]) };
  const devices = test.system.spawnKeyed<Reading>({
    id: "devices",
    kind: "device",
    idleMs: 1_000,
    start: (key) => new DeviceActor(key, options),
  });
  let ref: ActorRef<Reading> | undefined;
  /** The count that was stored, or the fate; no fate: the reading is a dead letter. */
  const send = (payload: string): string => {
    const bytes = new TextEncoder().encode("own/1");
    const entry = topics.lookup(bytes, 0, bytes.length);
    assert.ok(entry.kind === "topic");
    ref ??= devices.ref("1");
    outlet.clear();
    assert.equal(ref.tell(readingOf(entry, payload, { arrivalMs: test.clock.now() })), "accepted");
    test.run();
    const { fate } = outlet;
    const field = fate?.kind === "points" ? /count=\d+/.exec(fate.lines[0] ?? "")?.[0] : undefined;
    return field ?? fate?.kind ?? "dead letter";
  };
  const lastError = () => directory.find("1")?.device.lastError;
  return { test, tools, directory, devices, send, lastError };
}

Deno.test("what code keeps is handed back after rest, after a crash and after a restart", async () => {
  const first = await start();
  assert.deepEqual([first.send("1"), first.send("silent")], ["count=1", "refused"]);
  first.test.advance(3_000);
  assert.equal(first.devices.active, 0);
  assert.deepEqual([first.send("3"), first.send("throw")], ["count=3", "dead letter"]);
  first.test.advance(1_000);
  // The reading that it threw at never was.
  assert.equal(first.send("4"), "count=4");
  await first.test.stop();
  first.directory.passivateAll();
  assert.equal(first.tools.codeRoom.bytes, 0);
  const second = await start({ saved: first.directory.saved() });
  assert.equal(second.send("5"), "count=5");
  await second.test.stop();
});

Deno.test("a save that goes wrong costs neither the reading nor what was kept before", async () => {
  for (const [payload, reason] of [["throw in save", "threw"], ["much", "too_large"]] as const) {
    const { test, tools, send, lastError } = await start();
    assert.deepEqual([send("1"), send(payload), send(payload)], ["count=1", "count=2", "count=3"]);
    assert.equal(tools.codeRoom.refused[reason], 2);
    assert.equal(lastError()?.reason, "state_not_kept");
    assert.deepEqual(test.letters, []);
    test.advance(3_000); // At rest.
    assert.equal(send("back"), "count=2");
    await test.stop();
  }
});

Deno.test("a save that returns undefined leaves what is kept as it is", async () => {
  const { test, send } = await start();
  assert.deepEqual([send("1"), send("as before")], ["count=1", "count=2"]);
  test.advance(3_000);
  assert.equal(send("back"), "count=2");
  await test.stop();
});

Deno.test("a save that does not return is ended, with its reading, and counts as code that does not", async () => {
  const { test, send, lastError } = await start({ limitMs: 20 });
  assert.deepEqual([send("1"), send("spin in save")], ["count=1", "dead letter"]);
  test.advance(1_000);
  assert.match(lastError()?.detail ?? "", /had not returned after 20 ms/);
  assert.equal(send("2"), "count=2");
  assert.equal(send("spin in save"), "dead letter");
  test.advance(10_000);
  assert.equal(send("3"), "dead letter");
  await test.stop();
});

Deno.test("a module that was changed gets what the older one kept; when it throws at it, that stays", async () => {
  const older = await start();
  assert.equal(older.send("1"), "count=1");
  await older.test.stop();
  older.directory.passivateAll();
  class Newer extends Counter {
    constructor(kept: { readonly counts: readonly number[] }) {
      super({ count: kept.counts[0]! });
    }
  }
  const newer = await start({ Device: Newer, saved: older.directory.saved() });
  assert.equal(newer.send("2"), "dead letter");
  newer.test.advance(3_000);
  assert.match(
    newer.lastError()?.detail ?? "",
    /handed what its save\(\) returned before: TypeError: .*code_state_test\.ts:\d+:\d+\); that is kept/,
  );
  await newer.test.stop();
  newer.directory.passivateAll();
  class Mended extends Counter {
    constructor(kept: { readonly count?: number; readonly counts?: readonly number[] }) {
      super({ count: kept.counts?.[0] ?? kept.count ?? 0 });
    }
  }
  const mended = await start({ Device: Mended, saved: newer.directory.saved() });
  assert.equal(mended.send("2"), "count=2");
  await mended.test.stop();
});

Deno.test("code without save is made as ever, and leaves what is kept where it is", async () => {
  const before = await start();
  assert.equal(before.send("1"), "count=1");
  await before.test.stop();
  before.directory.passivateAll();
  class NoSave implements DeviceCode {
    onReading(_: unknown, emit: (point: CodePoint) => void) {
      emit({ fields: { count: 100 } });
    }
  }
  const without = await start({ Device: NoSave, saved: before.directory.saved() });
  assert.equal(without.send("x"), "count=100");
  await without.test.stop();
  without.directory.passivateAll();
  const again = await start({ saved: without.directory.saved() });
  assert.equal(again.send("2"), "count=2");
  await again.test.stop();
});
