/**
 * What is taken anew while the service runs, and what is not: the log says both.
 *
 * @module
 */
import { type Config, loadConfig } from "../config.ts";
import { changedOptions } from "../config/changes.ts";
import { logger } from "../gateways/log/log.ts";
import type { HostedShard } from "./shard_handle.ts";

const log = logger("reload");

/** Has every shard look at the files of its certificates. Never rejects. */
export async function reloadCertificates(
  shards: readonly Pick<HostedShard, "shard" | "ask">[],
): Promise<void> {
  const results = new Set<unknown>();
  await Promise.all(shards.map(async (shard) => {
    try {
      results.add(await shard.ask({ kind: "reload" }));
    } catch (cause) {
      results.add("refused");
      log.warn("a shard could not look at its certificates; it does when it starts", {
        shard: shard.shard,
        cause,
      });
    }
  }));
  if (results.has("refused")) log.warn("not all certificates could be taken; see above");
  else if (results.has("taken")) log.info("certificates: new ones were taken");
  else if (results.has("same")) log.info("certificates: unchanged");
}

/** Compares the configuration with the one that runs, which only a restart changes. */
export async function compareConfiguration(
  running: Config,
  file: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    const { config } = await loadConfig(file, env);
    const options = changedOptions(running, config);
    if (options.length === 0) log.info("configuration: unchanged");
    else log.warn("configuration: these options have changed, and take a restart", { options });
  } catch (error) {
    log.error("configuration: it has mistakes, a restart would fail", { error });
  }
}
