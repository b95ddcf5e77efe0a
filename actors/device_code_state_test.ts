import assert from "node:assert/strict";
import type { CodePoint, DeviceCode } from "./device_code.ts";
import { compileRoutes } from "./route_table.ts";
import { CodedDevices, type CodedDevicesOptions } from "./testing/coded_devices.ts";

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

async function start(options: Partial<CodedDevicesOptions> = {}) {
  const coded = await CodedDevices.start({ routes, Device: Counter, ...options });
  const { test, tools, directory, devices } = coded;
  /** The count that was stored, or the fate; no fate: the reading is a dead letter. */
  const send = (payload: string): string => {
    const fate = coded.send("own/1", payload);
    const field = fate?.kind === "points" ? /count=\d+/.exec(fate.lines[0] ?? "")?.[0] : undefined;
    return field ?? fate?.kind ?? "dead letter";
  };
  const lastError = () => directory.find("1")?.device.lastError;
  /** Ends it as SIGTERM does, and gives what is written down. */
  const stop = async () => {
    await test.stop();
    directory.passivateAll();
    return [...directory.saved()];
  };
  return { test, tools, devices, send, lastError, stop };
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
  const savedFirst = await first.stop();
  assert.equal(first.tools.codeRoom.bytes, 0);
  const second = await start({ saved: savedFirst });
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
  const { test, send, lastError } = await start({ limitMs: 250 });
  assert.deepEqual([send("1"), send("spin in save")], ["count=1", "dead letter"]);
  test.advance(1_000);
  assert.match(lastError()?.detail ?? "", /had not returned after 250 ms/);
  assert.equal(send("2"), "count=2");
  assert.equal(send("spin in save"), "dead letter");
  test.advance(10_000);
  assert.equal(send("3"), "dead letter");
  await test.stop();
});

Deno.test("a module that was changed gets what the older one kept; when it throws at it, that stays", async () => {
  const older = await start();
  assert.equal(older.send("1"), "count=1");
  const savedOlder = await older.stop();
  class Newer extends Counter {
    constructor(kept: { readonly counts: readonly number[] }) {
      super({ count: kept.counts[0]! });
    }
  }
  const newer = await start({ Device: Newer, saved: savedOlder });
  assert.equal(newer.send("2"), "dead letter");
  newer.test.advance(3_000);
  assert.match(
    newer.lastError()?.detail ?? "",
    /handed what its save\(\) returned before: TypeError: .*code_state_test\.ts:\d+:\d+\); that is kept/,
  );
  const savedNewer = await newer.stop();
  class Mended extends Counter {
    constructor(kept: { readonly count?: number; readonly counts?: readonly number[] }) {
      super({ count: kept.counts?.[0] ?? kept.count ?? 0 });
    }
  }
  const mended = await start({ Device: Mended, saved: savedNewer });
  assert.equal(mended.send("2"), "count=2");
  await mended.test.stop();
});

Deno.test("code without save is made as ever, and leaves what is kept where it is", async () => {
  const before = await start();
  assert.equal(before.send("1"), "count=1");
  const savedBefore = await before.stop();
  class NoSave implements DeviceCode {
    onReading(_: unknown, emit: (point: CodePoint) => void) {
      emit({ fields: { count: 100 } });
    }
  }
  const without = await start({ Device: NoSave, saved: savedBefore });
  assert.equal(without.send("x"), "count=100");
  const savedWithout = await without.stop();
  const again = await start({ saved: savedWithout });
  assert.equal(again.send("2"), "count=2");
  await again.test.stop();
});
