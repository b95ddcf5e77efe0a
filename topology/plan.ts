/**
 * What is the same for every start of every Worker, made once: sums are checked, ports tried.
 *
 * @module
 */
import { diskPressureMemory } from "../actors/spool/disk_pressure.ts";
import { owedElsewhereMemory } from "../actors/spool/owed_elsewhere.ts";
import { stallsMemory } from "../actors/spool/stalls.ts";
import type { Config } from "../config.ts";
import { servesHttp } from "../config/serves_http.ts";
import type { Plan } from "../topology.ts";
import { type DataPaths, gatewayIdOf } from "./data_directory.ts";
import { GuardMemory } from "./guard.ts";
import { shardLimits } from "./limits.ts";
import { claimAddresses } from "./ports.ts";
import { sessionSockets } from "./session_sockets.ts";
import type { ToldSegments } from "./told_segments.ts";

/**
 * @throws {RangeError} when the limits do not fit the memory.
 * @throws {ListenError} when a port cannot be had.
 */
export function makePlan(
  config: Config,
  paths: DataPaths,
  { shards, salts }: ToldSegments,
): Plan {
  shardLimits(config, shards);
  return {
    config,
    shards,
    told: salts,
    gatewayId: gatewayIdOf(config.gatewayId, paths.root),
    paths,
    diskPressure: diskPressureMemory(),
    owedElsewhere: owedElsewhereMemory(shards),
    stalls: stallsMemory(shards),
    guard: new GuardMemory(config, shards),
    ...claimAddresses({
      mqtt: { text: config.mqtt.listen, option: "mqtt.listen (SLUICE_MQTT_LISTEN)" },
      mqttTls: { text: config.mqtt.tls.listen, option: "mqtt.tls.listen" },
      http: { text: config.http.listen, option: "http.listen (SLUICE_HTTP_LISTEN)" },
      httpTls: { text: config.http.tls.listen, option: "http.tls.listen" },
    }),
    sessionSockets: config.mqtt.webSocket && servesHttp(config)
      ? sessionSockets(paths.root)
      : undefined,
  };
}
