/**
 * The broker connections that a shard owns.
 *
 * @module
 */
import { hashText } from "../actors/fingerprint.ts";
import type { CompiledRoute } from "../actors/route.ts";
import { logger } from "../gateways/log/log.ts";
import { type BrokerCommand, BrokerGateway } from "../gateways/mqtt/broker/broker_gateway.ts";
import type { BrokerOptions } from "../gateways/mqtt/broker/broker_options.ts";
import type { TlsIdentity } from "../gateways/mqtt/broker/dial.ts";
import { subscriptionFiles } from "../gateways/mqtt/broker/subscription_files.ts";
import type { EndpointStats } from "../gateways/mqtt/endpoint/endpoint_stats.ts";
import type { ActorRef, Context } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import { brokerEvents } from "./broker_events.ts";
import { brokerName } from "./broker_name.ts";
import { dataPaths } from "./data_directory.ts";
import type { EdgesOptions } from "./shard_edges.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("broker");

/** A broker connection; its actor may be started anew. */
export interface BrokerHandle {
  /** Protocol, host and port. */
  readonly name: string;
  readonly ref: ActorRef<BrokerCommand>;
  gateway(): BrokerGateway | undefined;
}

type BrokersOptions = Pick<EdgesOptions, "init" | "routes" | "intake" | "messages">;

/** Starts one actor for each broker of the shard, below `context`. */
export function openBrokers(
  { init, routes, intake, messages }: BrokersOptions,
  stats: EndpointStats,
  context: Context<never>,
): BrokerHandle[] {
  const memory = subscriptionFiles(
    dataPaths(init.config.dataDir).broker,
    (action, cause) =>
      log.warn(`cannot ${action}: topics that are no longer wanted may go on coming`, {
        cause: String(cause),
      }),
  );
  return init.brokers.map((index) => {
    const options = brokerOptions(init, routes, index);
    const name = brokerName(init.config.broker.urls[index]!);
    let gateway: BrokerGateway | undefined;
    const needs = {
      intake,
      ...(init.config.broker.deliver ? { messages } : {}),
      memory,
      hash: hashText,
      events: brokerEvents(name, { log, clock: systemClock, looped: () => stats.brokerLoops++ }),
    };
    const ref = context.spawn<BrokerCommand>({
      id: `broker-${index}`,
      kind: "broker_gateway",
      start: (context) => gateway = new BrokerGateway(options, needs, context),
    });
    return { name, ref, gateway: () => gateway };
  });
}

/** Topic and properties of a message. */
const headBytesMax = 256 * 1024;

/** The connection as the configuration has it; each client id is its own. */
function brokerOptions(
  { config, gatewayId }: ShardInit,
  routes: readonly CompiledRoute[],
  index: number,
): BrokerOptions {
  const { broker } = config;
  const url = broker.urls[index]!;
  return {
    url: new URL(url),
    clientId: `${broker.clientId ?? `sluice-${gatewayId}`}-${index}`,
    filters: broker.topics ?? routeFilters(routes),
    ...(broker.share === undefined ? {} : { share: broker.share }),
    qos: broker.qos,
    version: broker.protocolVersion,
    clean: broker.clean,
    sessionExpiryS: broker.sessionExpiryS,
    receiveMaximum: broker.receiveMaximum,
    keepAliveS: broker.keepAliveS,
    // As much as MQTT can say; what is too large for a reading becomes a dead letter.
    packetBytesMax: 256 * 1024 * 1024,
    keptBytesMax: config.limits.payloadBytesMax + headBytesMax,
    tls: () => tlsIdentity(config),
    gatewayId,
    deliveredBytesMax: config.limits.payloadBytesMax,
  };
}

async function tlsIdentity({ broker }: ShardInit["config"]): Promise<TlsIdentity> {
  const { caFile, certFile, keyFile } = broker.tls;
  return {
    ...(caFile === undefined ? {} : { caCerts: [await Deno.readTextFile(caFile)] }),
    ...(certFile === undefined ? {} : { cert: await Deno.readTextFile(certFile) }),
    ...(keyFile === undefined ? {} : { key: await Deno.readTextFile(keyFile) }),
  };
}

/** What the routes want to hear; topics that begin with `$` are not a broker's to give. */
function routeFilters(routes: readonly CompiledRoute[]): string[] {
  const filters = routes.map(({ topic }) => topic.filter);
  return [...new Set(filters.filter((filter) => !filter.startsWith("$")))];
}
