/**
 * The edges of a shard: its share of the MQTT endpoint, and the broker connections it owns.
 *
 * @module
 */
import type { Intake } from "../actors/intake.ts";
import { AccountQuotas } from "../actors/rates/account_quotas.ts";
import type { CompiledRoute } from "../actors/route.ts";
import { SharedCounts } from "../actors/rates/shared_counts.ts";
import { logger } from "../gateways/log/log.ts";
import {
  type EndpointEvents,
  type EndpointServices,
  openToAll,
} from "../gateways/mqtt/endpoint/endpoint_options.ts";
import { sessionQuotas } from "../gateways/mqtt/endpoint/session_quotas.ts";
import { EndpointStats } from "../gateways/mqtt/endpoint/endpoint_stats.ts";
import type { LookResult } from "../gateways/mqtt/endpoint/certificate_watch.ts";
import { type ClientCertificate, hostOf } from "../gateways/mqtt/endpoint/arrival.ts";
import { type ListenerMessage, listenerSpec } from "../gateways/mqtt/endpoint/listener.ts";
import { type ClientConnected, SharedRoll } from "../gateways/mqtt/endpoint/shared_roll.ts";
import type { MessageExchange } from "../gateways/mqtt/endpoint/subscriptions.ts";
import type { PubSub } from "../gateways/mqtt/pubsub/pubsub.ts";
import { RevokedCertificates } from "../gateways/mqtt/websocket/revoked_certificates.ts";
import type { ActorRef } from "../runtime/actor.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { bansOf, doorOf } from "./endpoint_guard.ts";
import { type Guard, shardConnectionsMax } from "./guard.ts";
import { type AcceptorsOptions, ShardAcceptors } from "./shard_acceptors.ts";
import type { ShardLimits } from "./limits.ts";
import type { BrokerHandle, openBrokers } from "./shard_brokers.ts";
import { brokerName } from "./broker_name.ts";
import type { ShardInit } from "./shard_protocol.ts";
import type { TokenGate } from "../gateways/auth/token_gate.ts";
import type { WorkerAccounts } from "./worker_accounts.ts";

const log = logger("mqtt");

export interface EdgesOptions {
  readonly init: ShardInit;
  readonly limits: ShardLimits;
  readonly routes: readonly CompiledRoute[];
  readonly system: ActorSystem;
  readonly intake: Intake;
  readonly messages: MessageExchange & Pick<PubSub, "listening">;
  readonly accounts: WorkerAccounts;
  readonly guard: Guard;
  readonly clientTls: AcceptorsOptions["clientTls"];
  /** See {@linkcode importBrokers}. */
  readonly openBrokers: typeof openBrokers | undefined;
}

/** The client of brokers is loaded where there is one: it is larger than the rest of a shard. */
export async function importBrokers(
  { brokers }: Pick<ShardInit, "brokers">,
): Promise<typeof openBrokers | undefined> {
  if (brokers.length === 0) return undefined;
  return (await import("./shard_brokers.ts")).openBrokers;
}

/** Under which a shard publishes who wants to know of clients that connect elsewhere. */
export const sessionsName = "sessions";

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
  /** Of clients that came over WebSocket. */
  readonly #revoked = new RevokedCertificates();
  #listener: ActorRef<ListenerMessage> | undefined;
  #opened = false;

  constructor(options: EdgesOptions) {
    const { init } = options;
    this.#options = options;
    this.#sessions = new SharedCounts(init.guard.sessions, init.shard);
    this.#quotas = new AccountQuotas(
      init.guard.quotas,
      init.config.limits.accounts,
      options.guard.limits,
      init.shards,
      init.shard,
    );
    this.#acceptors = new ShardAcceptors({
      init,
      stats: this.stats,
      clock: options.system.clock,
      clientTls: options.clientTls,
      door: doorOf(options.guard),
      certificatesChanged: () => this.accountsChanged(),
    });
  }

  /** Broker connections that messages come in over, and why others are not. */
  get brokerState(): { readonly connected: number; readonly notReady: string[] } {
    let connected = 0;
    const { config, brokers } = this.#options.init;
    // Until they are opened, all are to come.
    const notReady = brokers.slice(this.#brokers.length).map((index) =>
      `broker ${brokerName(config.broker.urls[index]!)} is not connected: not tried yet`
    );
    for (const { gateway, name } of this.#brokers) {
      const current = gateway();
      if (current?.subscribed) connected++;
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
        this.#brokers = this.#options.openBrokers?.(this.#options, this.stats, context) ?? [];
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

  /** These certificates of clients over WebSocket are revoked now, and no others. */
  certificatesRevoked(prints: readonly string[]): void {
    this.#revoked.replace(prints);
    this.accountsChanged();
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

  #isRevoked(certificate: ClientCertificate): boolean {
    return this.#acceptors.isRevoked(certificate) || this.#revoked.has(certificate);
  }

  #services(): EndpointServices {
    const { init, limits, intake, messages, accounts, guard } = this.#options;
    const { mqtt, shutdown } = init.config;
    return {
      intake,
      limits: {
        connectionsMax: shardConnectionsMax(mqtt, init.shards),
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
        (session.certificate === undefined || !this.#isRevoked(session.certificate)),
      door: doorOf(guard),
      bans: bansOf(guard),
      quotas: sessionQuotas(this.#quotas, messages.kept?.accounts),
      senderOf: ({ account, peer }) => guard.senderOf(account, hostOf(peer)),
      roll: new SharedRoll(this.#sessions, (shard, connected) => {
        this.#others.get(shard)?.tell(connected);
      }),
      deniedPublish: mqtt.deniedPublish,
      assignId: () => `sluice-${crypto.randomUUID()}`,
      messages,
      stats: this.stats,
      events: {
        ...logEnds(),
        acceptFailed: (error) => log.warn("cannot accept connections; trying again", { error }),
      },
    };
  }
}

/** Asked once: the level does not change, and to ask is 0.5 % of what a connection costs. */
function logEnds(): Pick<EndpointEvents, "ended"> {
  if (!log.isEnabledFor("debug")) return {};
  return {
    ended: (peer, clientId, ending) =>
      log.debug("a connection ended", { peer, clientId, ...ending }),
  };
}

/** An edge that fails is opened again; one that cannot stay up takes its shard with it. */
const edgesSupervision = {
  strategy: "one_for_one",
  intensity: 10,
  periodMs: 60_000,
  backoff: { minMs: 100, maxMs: 5_000, factor: 2, jitter: 0.2, resetMs: 60_000 },
  onExceeded: "escalate",
} as const;
