import assert from "node:assert/strict";
import { DirectoryInUseError } from "../actors/segment_log/lock.ts";
import { parseConfig } from "../config.ts";
import { openDataDirectory } from "./data_directory.ts";
import { prepareStart } from "./prepare_start.ts";

const listen = "127.0.0.1:0";

Deno.test("a start has its data directory to itself, its ports, a key and the accounts", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_prepare_" });
  const { config } = await parseConfig({ dataDir, shards: 2, mqtt: { listen }, http: { listen } });
  const { data, plan, keys, accounts } = await prepareStart(config);
  await assert.rejects(prepareStart(config), DirectoryInUseError);
  assert.equal(plan.shards, 2);
  assert.ok(plan.mqtt !== undefined && plan.mqtt.port > 0);
  assert.equal(keys.length, 1);
  await accounts.close();
  plan.sessionSockets?.remove();
  data.lock.release();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a start that something is in the way of lets go of the data directory", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sluice_prepare_" });
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = `127.0.0.1:${other.addr.port}`;
  const { config } = await parseConfig({ dataDir, mqtt: { listen: taken }, http: { listen } });
  await assert.rejects(prepareStart(config), /port is in use.*mqtt\.listen/);
  openDataDirectory(dataDir).lock.release();
  other.close();
  await Deno.remove(dataDir, { recursive: true });
});
