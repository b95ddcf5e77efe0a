import assert from "node:assert/strict";
import { keepAlive } from "./testing/keep_alive.ts";
import { BanTable, banTableMemory } from "./ban_table.ts";

Deno.test("a ban holds in all threads until its time, or until it is lifted", () => {
  const memory = banTableMemory();
  const a = new BanTable(memory);
  const b = new BanTable(memory);
  assert.equal(b.version, 0);
  a.set(7, 1_000);
  assert.ok(b.version > 0);
  assert.equal(b.untilMs(7, 999), 1_000);
  assert.equal(b.untilMs(7, 1_000), 0);
  assert.equal(b.untilMs(8, 0), 0);
  b.set(7, 2_000);
  assert.equal(a.untilMs(7, 1_500), 2_000);
  b.set(7, 0);
  assert.equal(a.untilMs(7, 0), 0);
});

Deno.test("who waits for a change hears of every ban, be it made before or after", async () => {
  using _alive = keepAlive();
  const memory = banTableMemory();
  const table = new BanTable(memory);
  const before = table.changed(table.version);
  new BanTable(memory).set(7, 1_000);
  await before;
  await table.changed(0);
  const { version } = table;
  let told = false;
  const next = table.changed(version).then(() => told = true);
  await Promise.resolve();
  assert.equal(told, false);
  table.set(7, 0);
  await next;
});

Deno.test("of more bans than have room, those that end first are forgotten", () => {
  const table = new BanTable(banTableMemory());
  const keys = Array.from({ length: 9 }, (_, i) => 5 + i * 16_384);
  for (const [i, key] of keys.entries()) table.set(key, 1_000 - i);
  const held = keys.map((key) => table.untilMs(key, 0) > 0);
  assert.deepEqual(held, [true, true, true, true, true, true, true, false, true]);
});

Deno.test("thousands of bans at once", () => {
  const table = new BanTable(banTableMemory());
  for (let key = 1; key <= 4_096; key++) table.set(key * 7_919, key);
  for (let key = 1; key <= 4_096; key++) assert.equal(table.untilMs(key * 7_919, 0), key);
});
