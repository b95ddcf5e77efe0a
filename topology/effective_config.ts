/**
 * What `--print-config` shows beyond the file, the environment and the constants of the table:
 * defaults that depend on this machine.
 *
 * @module
 */
import type { Config } from "../config.ts";
import { shardCount } from "../topology.ts";
import { keptGatewayId } from "./data_directory.ts";

/** The configuration with the number of shards, and the gateway id once a start has made one. */
export function effectiveConfig(config: Config): Config {
  const gatewayId = config.gatewayId ?? readableGatewayId(config.dataDir);
  return {
    ...config,
    shards: shardCount(config),
    ...(gatewayId === undefined ? {} : { gatewayId }),
  };
}

/** A directory that cannot be read is for the start to complain of. */
function readableGatewayId(dataDir: string): string | undefined {
  try {
    return keptGatewayId(dataDir);
  } catch {
    return undefined;
  }
}
