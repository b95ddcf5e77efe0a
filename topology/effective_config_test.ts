import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { shardCount } from "../topology.ts";
import { gatewayIdOf } from "./data_directory.ts";
import { effectiveConfig } from "./effective_config.ts";

Deno.test("the number of shards and the kept gateway id are part of what is in effect", async () => {
  const dataDir = Deno.makeTempDirSync();
  try {
    const { config } = await parseConfig({ dataDir });
    assert.equal(effectiveConfig(config).shards, shardCount(config));
    assert.equal(effectiveConfig(config).gatewayId, undefined, "no start has made one");
    const made = gatewayIdOf(undefined, dataDir);
    assert.equal(effectiveConfig(config).gatewayId, made);
    const unreadable = { ...config, dataDir: `${dataDir}/gateway_id` };
    assert.equal(effectiveConfig(unreadable).gatewayId, undefined);
    const own = effectiveConfig({ ...config, shards: 7, gatewayId: "own" });
    assert.deepEqual([own.shards, own.gatewayId], [7, "own"]);
  } finally {
    Deno.removeSync(dataDir, { recursive: true });
  }
});
