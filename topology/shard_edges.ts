/**
 * The edges of a shard: its share of the MQTT endpoint, and the broker connections it owns.
 *
 * @module
 */
import { hashBytes } from "../actors/fingerprint.ts";
import type { Intake } from "../actors/intake.ts";
import { AccountQuotas } from "../actors/rates/account_quotas.ts";
import type { GateReason } from "../actors/rates/connection_gate.ts";
import { SharedCounts } from "../actors/rates/shared_counts.ts";
import { logger } from "../gateways/log/log.ts";
import {
  type BrokerCommand,
  type BrokerEvents,
  BrokerGateway,
  type BrokerOptions,
} from "../gateways/mqtt/broker/broker_gateway.ts";
import type { TlsIdentity } from "../gateways/mqtt/broker/dial.ts";
import { subscriptionFiles } from "../gateways/mqtt/broker/subscriptions.ts";
import {
  type Bans,
  type Door,
  type EndpointServices,
  openToAll,
  originHashOf,
  sessionKey,
} from "../gateways/mqtt/endpoint/endpoint_options.ts";
import { reasonCodes } from "../gateways/mqtt/codec/reason_code.ts";
import { EndpointStats } from "../gateways/mqtt/endpoint/endpoint_stats.ts";
import type { LookResult } from "../gateways/mqtt/endpoint/reloading_acceptor.ts";
import { hostOf, type TurnedAway } from "../gateways/mqtt/endpoint/arrival.ts";
import { type ListenerMessage, listenerSpec } from "../gateways/mqtt/endpoint/listener.ts";
import { type ClientConnected, SharedRoll } from "../gateways/mqtt/endpoint/shared_roll.ts";
import type { MessageExchange } from "../gateways/mqtt/endpoint/subscriptions.ts";
import type { PubSub } from "../gateways/mqtt/pubsub/pubsub.ts";
import type { ActorRef, Context } from "../runtime/actor.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { dataPaths } from "./data_directory.ts";
import type { Guard } from "./guard.ts";
import { type AcceptorsOptions, ShardAcceptors } from "./shard_acceptors.ts";
import type { ShardLimits } from "./limits.ts";
import { shardRoutes } from "./routes.ts";
import type { ShardInit } from "./shard_protocol.ts";
import type { TokenGate } from "../gateways/auth/token_gate.ts";
import type { WorkerAccounts } from "./worker_accounts.ts";

const log = logger("mqtt");
const brokerLog = logger("broker");

export interface EdgesOptions {
  readonly init: ShardInit;
  readonly limits: ShardLimits;
  readonly system: ActorSystem;
  readonly intake: Intake;
  readonly messages: MessageExchange & Pick<PubSub, "listening">;
  readonly accounts: WorkerAccounts;
  readonly guard: Guard;
  readonly clientTls: AcceptorsOptions["clientTls"];
}

/** Under which a shard publishes who wants to know of clients that connect elsewhere. */
export const sessionsName = "sessions";

/** Where no session is kept. */
const nowhere = { count: 0, own: false };

/** How long a connection may take none of what is sent to it. */
const writeStallMs = 30_000;

/** See the module. */
export class ShardEdges {
  readonly stats = new EndpointStats();
  readonly #options: EdgesOptions;
  readonly #acceptors: ShardAcceptors;
  #brokers: readonly BrokerHandle[] = [];
  /** By shard: who is to be told of a client that connects here. */
  readonly #others = new Map<number, ActorRef<ClientConnected>>();
  readonly #sessions: SharedCounts;
  readonly #quotas: AccountQuotas;
  #listener: ActorRef<ListenerMessage> | undefined;
  #opened = false;

  constructor(options: EdgesOptions) {
    const { init } = options;
    this.#options = options;
    this.#sessions = new SharedCounts(init.guard.sessions, init.shard);
    this.#quotas = new AccountQuotas(init.guard.quotas, init.config.limits.accounts, init.shard);
    this.#acceptors = new ShardAcceptors({
      init,
      stats: this.stats,
      clock: options.system.clock,
      clientTls: options.clientTls,
      door: doorOf(options.guard),
      certificatesChanged: () => this.accountsChanged(),
    });
  }

  /** Broker connections that are up, and why others are not. */
  get brokerState(): { readonly connected: number; readonly notReady: string[] } {
    let connected = 0;
    const notReady: string[] = [];
    for (const { gateway, name } of this.#brokers) {
      const current = gateway();
      if (current?.connected) connected++;
      else {
        const why = current?.lastError ?? "";
        notReady.push(`broker ${name} is not connected${why === "" ? "" : `: ${why}`}`);
      }
    }
    return { connected, notReady };
  }

  /** By metric name. */
  counters(): Record<string, number> {
    const { sessionsRefused } = this.#quotas;
    return {
      ...this.stats.counters(),
      'sluice_connections_refused_total{reason="account_max"}': sessionsRefused,
    };
  }

  /** Starts to take readings in. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    const { init, system } = this.#options;
    system.spawn<never>({
      id: "edges",
      supervision: edgesSupervision,
      start: (context) => {
        const listens = [init.mqtt, init.mqttTls, init.sessionPath].some((at) => at !== undefined);
        if (listens) {
          this.#listener = context.spawn(
            listenerSpec("mqtt", this.#services(), () => this.#acceptors.open()),
          );
        }
        this.#brokers = init.brokers.map((index) => this.#openBroker(index, context));
        return { receive() {} };
      },
    });
  }

  /** Another shard, for the first time or anew: it is told of clients it may have a session of. */
  linked(shard: number, sessions: ActorRef<ClientConnected>): void {
    this.#others.set(shard, sessions);
  }

  /** A client has connected in another shard: an earlier session of its id here ends [MQTT-3.1.4-3]. */
  connectedElsewhere(connected: ClientConnected): void {
    this.#listener?.tell({ kind: "connected_elsewhere", connected });
  }

  /** See {@linkcode ShardAcceptors.reload}. */
  reload(): Promise<LookResult | undefined> {
    return this.#acceptors.reload();
  }

  /** What is known of tokens here. */
  get tokens(): TokenGate {
    return this.#options.accounts.gate;
  }

  /** Sessions of those that were banned end. */
  bansChanged(): void {
    this.#listener?.tell({ kind: "bans_changed" });
  }

  /** Sessions of accounts that have changed, or with certificates that were revoked, end. */
  accountsChanged(): void {
    this.#listener?.tell({ kind: "accounts_changed" });
  }

  /** Accepts and reads no more; resolves when what was in flight is acknowledged. */
  async drain(): Promise<void> {
    const ends: Promise<unknown>[] = [];
    if (this.#listener !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const drained: ActorRef<"drained"> = {
        path: "drain",
        tell: () => {
          resolve();
          return "accepted";
        },
      };
      this.#listener.tell({ kind: "drain", drained });
      ends.push(promise);
    }
    for (const { ref } of this.#brokers) {
      const { promise, resolve } = Promise.withResolvers<void>();
      ref.tell({ kind: "drain", drained: resolve });
      ends.push(promise);
    }
    await Promise.all(ends);
  }

  #services(): EndpointServices {
    const { init, limits, intake, messages, accounts, guard } = this.#options;
    const { mqtt, shutdown } = init.config;
    return {
      intake,
      limits: {
        connectionsMax: Math.ceil(mqtt.connectionsMax / init.shards) + connectionsSlack,
        connectTimeoutMs: mqtt.connectTimeoutMs,
        keepAliveMaxS: mqtt.keepAliveMaxS,
        sessionExpiryMaxS: mqtt.sessions.expiryMaxS,
        receiveMaximum: mqtt.receiveMaximum,
        qos2Max: mqtt.qos2Max,
        packetBytesMax: mqtt.packetBytesMax,
        readBytesMax: limits.readBytes,
        writeStallMs,
        // A connection drains, then lingers for what its client still sends: both within the deadline.
        drainMs: Math.floor(shutdown.drainMs / 2),
      },
      authenticate: init.config.auth.required ? accounts.authenticate : openToAll,
      isCurrent: (session) =>
        accounts.isCurrent(session) &&
        (session.certificate === undefined || !this.#acceptors.isRevoked(session.certificate)),
      door: doorOf(guard),
      bans: bansOf(guard),
      quotas: {
        enter: (session) => {
          const key = sessionKey(session);
          return this.#quotas.enter(session.account, () => {
            const { count, own } = messages.kept?.places(session.account, key) ?? nowhere;
            return { count, own: own || this.#sessions.of(originHashOf(key)) > 0 };
          });
        },
        left: ({ account }) => this.#quotas.left(account),
        subscriptionsOf: ({ account }) => this.#quotas.subscriptionsOf(account),
      },
      senderOf: ({ account, peer }) => guard.senderOf(account, hostOf(peer)),
      roll: new SharedRoll(this.#sessions, (shard, connected) => {
        this.#others.get(shard)?.tell(connected);
      }),
      deniedPublish: mqtt.deniedPublish,
      assignId: () => `sluice-${crypto.randomUUID()}`,
      messages,
      stats: this.stats,
      events: {
        ended: (peer, clientId, ending) =>
          log.debug("a connection ended", () => ({ peer, clientId, ...ending })),
        acceptFailed: (error) => log.warn("cannot accept connections; trying again", { error }),
      },
    };
  }

  #openBroker(index: number, context: Context<never>): BrokerHandle {
    const { init, intake, messages } = this.#options;
    const options = brokerOptions(init, index);
    const name = `${options.url.protocol}//${options.url.host}`;
    let gateway: BrokerGateway | undefined;
    const needs = {
      intake,
      ...(init.config.broker.deliver ? { messages } : {}),
      memory: subscriptionFiles(dataPaths(init.config.dataDir).broker),
      hash: hashText,
      events: brokerEvents(name, this.stats),
    };
    const ref = context.spawn<BrokerCommand>({
      id: `broker-${index}`,
      kind: "broker_gateway",
      start: (context) => gateway = new BrokerGateway(options, needs, context),
    });
    return { name, ref, gateway: () => gateway };
  }
}

const doorOf = (guard: Guard): Door => ({
  enter: (peer) => turnedAway(guard.enter(hostOf(peer))),
  left: (peer) => guard.left(hostOf(peer)),
});

const bannedText = (untilMs: number): string | undefined =>
  untilMs === 0 ? undefined : `banned until ${new Date(untilMs).toISOString()}`;

function bansOf(guard: Guard): Bans {
  const client = ({ account, clientId, peer }: Parameters<Bans["of"]>[0]) => ({
    account,
    clientId,
    address: hostOf(peer),
  });
  return {
    get version() {
      return guard.bansVersion;
    },
    of: (who) => {
      const reason = bannedText(guard.banned(client(who)));
      return reason === undefined ? undefined : { reasonCode: reasonCodes.banned, reason };
    },
    now: (session) => bannedText(guard.bannedUntilMs(client(session))),
    ended: (session) => guard.ended(client(session)),
  };
}

const turnedAways: Readonly<Record<GateReason, TurnedAway>> = {
  rate: {
    reasonCode: reasonCodes.connectionRateExceeded,
    reason: "too many connect just now; come back later",
  },
  address_rate: {
    reasonCode: reasonCodes.connectionRateExceeded,
    reason: "this address connects too often; come back later",
  },
  address_max: {
    reasonCode: reasonCodes.quotaExceeded,
    reason: "this address has as many connections as it may have",
  },
};

const turnedAway = (reason: GateReason | undefined): TurnedAway | undefined =>
  reason && turnedAways[reason];

/** A broker connection; its actor may be started anew. */
interface BrokerHandle {
  readonly name: string;
  readonly ref: ActorRef<BrokerCommand>;
  gateway(): BrokerGateway | undefined;
}

/** An edge that fails is opened again; one that cannot stay up takes its shard with it. */
const edgesSupervision = {
  strategy: "one_for_one",
  intensity: 10,
  periodMs: 60_000,
  backoff: { minMs: 100, maxMs: 5_000, factor: 2, jitter: 0.2, resetMs: 60_000 },
  onExceeded: "escalate",
} as const;

const encoder = new TextEncoder();

function hashText(text: string): number {
  const bytes = encoder.encode(text);
  return hashBytes(bytes, 0, bytes.length);
}

function brokerEvents(broker: string, stats: EndpointStats): BrokerEvents {
  return {
    looped: () => stats.brokerLoops++,
    connected: (sessionPresent) => brokerLog.info("connected", { broker, sessionPresent }),
    disconnected: (reason) => brokerLog.warn("disconnected; connecting again", { broker, reason }),
    failed: (reason) => brokerLog.warn("no connection; trying again", { broker, reason }),
    refused: (filter, code) =>
      brokerLog.error("the broker refused a subscription", { broker, filter, code }),
  };
}

/** The kernel does not divide connections evenly. */
const connectionsSlack = 1_024;

/** Topic and properties of a message. */
const headBytesMax = 256 * 1024;

/** The connection as the configuration has it; each client id is its own. */
function brokerOptions({ config, gatewayId }: ShardInit, index: number): BrokerOptions {
  const { broker } = config;
  const url = broker.urls[index]!;
  return {
    url: new URL(url),
    clientId: `${broker.clientId ?? `sluice-${gatewayId}`}-${index}`,
    filters: broker.topics ?? routeFilters(config),
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
    tls: tlsIdentity(config),
    gatewayId,
    deliveredBytesMax: config.limits.payloadBytesMax,
  };
}

function tlsIdentity({ broker }: ShardInit["config"]): TlsIdentity {
  const { caFile, certFile, keyFile } = broker.tls;
  return {
    ...(caFile === undefined ? {} : { caCerts: [Deno.readTextFileSync(caFile)] }),
    ...(certFile === undefined ? {} : { cert: Deno.readTextFileSync(certFile) }),
    ...(keyFile === undefined ? {} : { key: Deno.readTextFileSync(keyFile) }),
  };
}

/** What the routes want to hear; topics that begin with `$` are not a broker's to give. */
function routeFilters(config: ShardInit["config"]): string[] {
  const filters = shardRoutes(config).map(({ topic }) => topic.filter);
  return [...new Set(filters.filter((filter) => !filter.startsWith("$")))];
}
