import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { shardCount } from "../topology.ts";
import { guardBytes } from "./guard.ts";
import { httpLimits, shardLimits, storeLimits } from "./limits.ts";

Deno.test("the limits of all shards fit the budget, whatever the number of shards", async () => {
  for (const shards of [1, 2, 4, 8]) {
    const { config } = await parseConfig({
      routes: [{ name: "own", topic: "own/{id}", measurement: "own", module: "./own.js" }],
      limits: { memoryBytesMax: 1 << 30, rates: { device: { messages: "20:1,600:60" } } },
    });
    const limits = shardLimits(config, shards);
    const sum = limits.sumBytes * shards + storeLimits(config).sumBytes +
      httpLimits(config, shards).sumBytes + guardBytes(config, shards);
    assert.ok(guardBytes(config, shards) > 0);
    assert.ok(sum <= config.limits.memoryBytesMax, `${shards} shards`);
    assert.ok(limits.codeStateBytes > 0);
    assert.ok(limits.laneBytes >= config.limits.payloadBytesMax);
  }
});

Deno.test("an impossible sum says what to change", async () => {
  const { config } = await parseConfig({ limits: { memoryBytesMax: 64 << 20 } });
  assert.throws(() => shardLimits(config, 64), /limits\.memoryBytesMax: .* raise it, or lower/);
});

Deno.test("without a number there are as many shards as the budget has room for", async () => {
  const { config } = await parseConfig({});
  for (const cores of [1, 2, 4, 8, 64]) {
    const shards = shardCount(config, cores);
    assert.ok(shards >= Math.min(cores, 4) && shards <= cores, `${shards} of ${cores}`);
    shardLimits(config, shards);
  }
  assert.equal(shardCount((await parseConfig({ shards: 3 })).config, 1), 3);
});

Deno.test("a packet that could never be read is refused at start", async () => {
  const { config } = await parseConfig({ mqtt: { packetBytesMax: 100 << 20 } });
  assert.throws(() => shardLimits(config, 2), /mqtt\.packetBytesMax: .* raise limits\.memory/);
});

Deno.test("no commit is larger than a part of a small spool", async () => {
  const spool = { bytesMax: 1 << 20, segmentBytes: 1 << 18 };
  const { groupBytes } = shardLimits((await parseConfig({ spool })).config, 2);
  assert.ok(groupBytes <= spool.bytesMax / 2 / 4, String(groupBytes));
  assert.ok(
    shardLimits((await parseConfig({})).config, 2).groupBytes > 4 << 20,
    "of the default's",
  );
});
