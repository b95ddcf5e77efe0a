/**
 * A shard: everything that runs in one Worker. Built from the store up, so that nothing is taken in
 * before it can be kept, and ended from the edges down.
 *
 * ```text
 * edges (MQTT endpoint, brokers) ─▶ intake hub ─▶ lanes ═▶ ingest ─▶ devices ─▶ spool ─▶ writer ─▶ sink
 * ```
 *
 * @module
 */
import { Ledger } from "../actors/ledger.ts";
import { servesHttp } from "../config/serves_http.ts";
import { logger, startLog } from "../gateways/log/log.ts";
import {
  type ClientConnected,
  parseClientConnected,
} from "../gateways/mqtt/endpoint/shared_roll.ts";
import { failurePlace } from "../runtime/failure.ts";
import type { Link } from "../runtime/remote_link.ts";
import { ActorSystem } from "../runtime/system.ts";
import type { WorkerBoot, WorkerProgram } from "../runtime/worker_serve.ts";
import { httpId, storeId } from "../topology.ts";
import { Guard } from "./guard.ts";
import { banReporter } from "./service_bans.ts";
import { openSink, type ShardSink } from "./shard_sink.ts";
import { ReadingPath } from "./reading_path.ts";
import { ShardMessages } from "./shard_messages.ts";
import { ShardControl } from "./shard_control.ts";
import { parsePrints, revokedName } from "../gateways/mqtt/websocket/revoked_certificates.ts";
import { importBrokers, sessionsName, ShardEdges } from "./shard_edges.ts";
import { shardRoutes } from "./routes.ts";
import { shardLimits } from "./limits.ts";
import { importClientTls } from "./shard_acceptors.ts";
import { controlName, parseAsk, parseShardInit, type ShardQuestion } from "./shard_protocol.ts";
import { WorkerAccounts } from "./worker_accounts.ts";
import { shardSnapshot } from "./shard_snapshot.ts";

const log = logger("shard");

/**
 * A crash at the top (spool, writer, the walk of batches) ends the shard: what was acknowledged is
 * on the disk, the rest is sent again. Edges and devices have supervisors of their own.
 */
const endsTheShard = {
  strategy: "one_for_one",
  intensity: 0,
  periodMs: 1_000,
  onExceeded: "escalate",
} as const;

/** See the module. */
export class Shard implements WorkerProgram {
  readonly #system: ActorSystem;
  readonly #path: ReadingPath;
  readonly #edges: ShardEdges;
  readonly #messages: ShardMessages;
  readonly #sink: ShardSink;
  readonly #ledger: Ledger;
  readonly #guard: Guard;
  readonly #shard: number;
  /** The HTTP edge has the number that follows the last shard's. */
  readonly #shards: number;
  readonly #drainPollMs = 5;

  private constructor(
    shard: number,
    shards: number,
    system: ActorSystem,
    path: ReadingPath,
    edges: ShardEdges,
    messages: ShardMessages,
    sink: ShardSink,
    ledger: Ledger,
    guard: Guard,
  ) {
    this.#guard = guard;
    this.#shard = shard;
    this.#shards = shards;
    this.#system = system;
    this.#path = path;
    this.#edges = edges;
    this.#messages = messages;
    this.#sink = sink;
    this.#ledger = ledger;
  }

  /** Opens what is on the disk and starts the actors; the edges stay shut until `listen`. */
  static async start(boot: WorkerBoot): Promise<Shard> {
    const init = parseShardInit(boot.init);
    const { shard, config, shards } = init;
    startLog({ level: config.log.level, format: config.log.format, fields: { shard } });
    const ledger = new Ledger(init.ledgerMemory);
    const system = new ActorSystem({
      name: `shard-${shard}`,
      supervision: endsTheShard,
      onSupervision: (event) => {
        const { failure, exit } = event;
        if (failure === undefined || exit === "completed") return;
        const { path: actor, decision } = event;
        const at = failurePlace(failure);
        log.error("an actor failed", { actor, decision, failure: failure.message, at });
      },
      onStopFault: (path, failure) =>
        log.warn("an actor did not stop well", { actor: path, failure: failure.message }),
    });
    const limits = shardLimits(config, shards);
    boot.stage("its routes and gateways are loaded");
    const [routes, sink, clientTls, openBrokers] = await Promise.all([
      shardRoutes(config),
      openSink(config),
      importClientTls(config),
      importBrokers(init),
    ]);
    const guard = new Guard(init.guard, config, shard, banReporter(boot));
    const path = await ReadingPath.open({
      init,
      limits,
      routes,
      ledger,
      system,
      sink: sink.sink,
      rates: guard.rates,
      stage: boot.stage,
    });
    boot.stage("retained messages and kept sessions are opened");
    const accounts: WorkerAccounts = new WorkerAccounts(boot, guard, (changed) => {
      edges.accountsChanged();
      messages.accountsChanged(changed);
    });
    const messages: ShardMessages = new ShardMessages({
      config,
      shard,
      shards: shards + (servesHttp(config) ? 1 : 0),
      first: !init.adopts,
      messageBytes: limits.messageBytes,
      system,
      names: boot.names,
      accountLimits: guard.limits,
      standings: (names) => accounts.standings(names),
    });
    const edges: ShardEdges = new ShardEdges({
      init,
      limits,
      routes,
      system,
      intake: path.hub,
      messages: messages.pubsub,
      accounts,
      guard,
      clientTls,
      openBrokers,
    });
    guard.watchBans(() => edges.bansChanged());
    const program = new Shard(shard, shards, system, path, edges, messages, sink, ledger, guard);
    // A shard whose tree has ended can do nothing more: the host starts it anew.
    system.terminated.then((failure) => {
      if (failure !== undefined) {
        reportError(new Error(`the actors of shard ${shard} ended: ${failure.message}`));
      }
    });
    const control = system.spawn({ id: "control", start: () => new ShardControl(program) });
    boot.names.publish(controlName, control, parseAsk);
    const sessions = system.spawn<ClientConnected>({
      id: sessionsName,
      mailbox: { countMax: 65_536 },
      start: () => ({ receive: (connected) => edges.connectedElsewhere(connected) }),
    });
    boot.names.publish(sessionsName, sessions, parseClientConnected);
    boot.names.publish(revokedName, {
      path: revokedName,
      tell: (prints) => {
        edges.certificatesRevoked(prints);
        return "accepted";
      },
    }, parsePrints);
    return program;
  }

  linked(link: Link): void {
    if (link.peer === storeId) this.#sink.attach?.(link);
    else if (link.peer === httpId) {
      this.#path.edgeLinked(link);
      this.#messages.linked(this.#shards, link);
    } else if (link.peer.startsWith("shard-")) {
      const other = Number(link.peer.slice("shard-".length));
      this.#path.linked(other, link);
      this.#messages.linked(other, link);
      this.#edges.linked(other, link.ref(sessionsName));
    }
  }

  async stop(): Promise<void> {
    await this.#system.stop();
    this.#messages.close();
    this.#path.close();
    await this.#sink.sink.close();
  }

  answer(question: ShardQuestion): unknown {
    const path = this.#path;
    switch (question.kind) {
      case "snapshot":
        return shardSnapshot({
          shard: this.#shard,
          ledger: this.#ledger,
          system: this.#system,
          path,
          edges: this.#edges,
          messages: this.#messages,
          guard: this.#guard,
          tokens: this.#edges.tokens,
        });
      case "recovered":
        return path.recovered;
      case "devices":
        return path.devices.views.list(question.query);
      case "changes":
        return path.devices.views.changes(question.query);
      case "device":
        return path.devices.views.find(question.id);
      case "release":
        return path.devices.release(question.id);
      case "actors":
        return this.#system.inspect({
          childrenMax: question.query.childrenMax,
          ...(question.query.under === undefined ? {} : { path: question.query.under }),
        });
      case "dead_letters":
        return path.deadLetters(question.query);
      case "replay_dead_letters":
        return path.replayDeadLetters(question.choice);
      case "refused_topics":
        return path.hub.refusedTopics.list();
      case "announce":
        this.#messages.pubsub.announce(question.values);
        return null;
      case "reload":
        return this.#edges.reload();
      case "listen":
        return this.#edges.open();
      case "drain":
        return this.#drain();
      case "flush":
        return path.flush(question.deadlineMs);
      default:
        return question satisfies never;
    }
  }

  /** Ends when the edges have closed and every reading they offered is settled. */
  async #drain(): Promise<void> {
    await this.#edges.drain();
    while (this.#path.hub.readings > 0 || this.#ledger.inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#system.clock.setTimer(this.#drainPollMs, resolve);
      });
    }
  }
}
