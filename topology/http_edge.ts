/**
 * HTTP, in a Worker of its own: it answers the data plane, with lanes to every shard as an edge of
 * a shard has them, so that a reading never comes near the main thread; everything else it passes
 * on to the main thread. No code of users runs here, and no device: what a shard goes through,
 * a crash or a spin, does not keep anybody from asking how it is.
 *
 * @module
 */
import type { Intake } from "../actors/intake.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import type { Config } from "../config.ts";
import { Callers } from "../gateways/http/callers.ts";
import { DataPlane } from "../gateways/http/data_plane.ts";
import { forwarder } from "../gateways/http/forward/forwarder.ts";
import { guarded } from "../gateways/http/guard.ts";
import { logger, startLog } from "../gateways/log/log.ts";
import { stdoutLines } from "../gateways/log/stdout.ts";
import { BufferBudget } from "../gateways/mqtt/endpoint/read_buffer.ts";
import { HeardIntake } from "../gateways/mqtt/pubsub/heard_intake.ts";
import { Carriers } from "../gateways/mqtt/websocket/carriers.ts";
import { revokedName } from "../gateways/mqtt/websocket/revoked_certificates.ts";
import { Stations } from "../gateways/websocket/stations.ts";
import type { ServerSocketOptions } from "../gateways/websocket/wire/server_socket.ts";
import { systemClock } from "../runtime/clock.ts";
import { failurePlace } from "../runtime/failure.ts";
import type { Link } from "../runtime/remote_link.ts";
import { ActorSystem } from "../runtime/system.ts";
import type { WorkerBoot, WorkerProgram } from "../runtime/worker_serve.ts";
import { Guard } from "./guard.ts";
import { HttpIdentity } from "./http_identity.ts";
import { type HttpInit, parseHttpInit } from "./http_init.ts";
import { HttpIntake } from "./http_intake.ts";
import { HttpListener } from "./http_listener.ts";
import { HttpShards } from "./http_shards.ts";
import { type HttpLimits, httpLimits } from "./limits.ts";
import { shardRoutes } from "./routes.ts";
import { banReporter } from "./service_bans.ts";
import { ShardControl } from "./shard_control.ts";
import { ShardMessages } from "./shard_messages.ts";
import { controlName, parseAsk, type ShardQuestion } from "./shard_protocol.ts";

const log = logger("http");
const clock = systemClock;

/** How long a body of the control plane may take to come. */
const controlBodyMs = 10_000;
/** A WebSocket from which not even an answer to a ping comes ends. */
const webSocketIdleMs = 30_000;

/** See the module. */
export class HttpEdge implements WorkerProgram {
  readonly #guard: Guard;
  readonly #intake: HttpIntake;
  readonly #shards: HttpShards;
  readonly #system: ActorSystem;
  readonly #messages: ShardMessages;
  readonly #listener: HttpListener;
  readonly #identity: HttpIdentity;
  readonly #callers = new Callers();
  readonly #stations: Stations;
  readonly #carriers: Carriers | undefined;
  readonly #plane: DataPlane;

  private constructor(init: HttpInit, routes: readonly CompiledRoute[], boot: WorkerBoot) {
    const { config, shards } = init;
    const limits = httpLimits(config, shards);
    const guard = this.#guard = new Guard(init.guard, config, shards, banReporter(boot));
    this.#shards = new HttpShards(shards);
    this.#system = new ActorSystem({
      name: "http",
      onSupervision: (event) => {
        const { failure } = event;
        if (failure === undefined) return;
        const at = failurePlace(failure);
        log.error("an actor failed", { actor: event.path, failure: failure.message, at });
      },
    });
    this.#intake = new HttpIntake(init, routes, limits.laneBytes, guard.rates, this.#system);
    this.#messages = new ShardMessages({
      config,
      shard: shards,
      shards: shards + 1,
      first: false,
      messageBytes: limits.messageBytes,
      system: this.#system,
      names: boot.names,
      accountLimits: guard.limits,
    });
    const identity = this.#identity = new HttpIdentity({
      boot,
      guard,
      required: config.auth.required,
      isRevoked: (certificate) => this.#listener.isRevoked(certificate),
      changed: () => this.#recheck(),
    });
    const intake = new HeardIntake(this.#intake.hub, this.#messages.pubsub);
    // Of read buffers that have grown, of all connections.
    const budget = new BufferBudget(limits.webSocketBytes);
    const socket = { clock, budget, idleMs: webSocketIdleMs };
    this.#stations = this.#openStations(config, intake, socket, limits.webSocketBytes);
    guard.watchBans(() => {
      this.#stations.bansChanged();
      this.#plane.recheck();
    });
    this.#carriers = init.sessionPaths && this.#openCarriers(init.sessionPaths, socket);
    this.#plane = this.#openPlane(config, intake, limits, boot.host);
    this.#listener = new HttpListener({
      init,
      budget,
      door: guard,
      handle: guarded({
        handle: (request) => this.#plane.handle(request),
        callers: this.#callers,
        gate: identity.gate,
        certified: identity.certified,
        clock,
        required: config.auth.required,
        bannedUntilMs: identity.bannedUntilMs,
      }),
      certificatesChanged: () => {
        this.#recheck();
        this.#carriers?.recheck((certificate) => this.#listener.isRevoked(certificate));
      },
    });
  }

  static async start(boot: WorkerBoot): Promise<HttpEdge> {
    const init = parseHttpInit(boot.init);
    const { level, format } = init.config.log;
    startLog({ level, format, fields: { worker: boot.id } });
    boot.stage("its routes are loaded");
    const routes = await shardRoutes(init.config);
    boot.stage("retained messages and kept sessions are opened");
    const edge = new HttpEdge(init, routes, boot);
    const control = new ShardControl(edge);
    boot.names.publish(controlName, {
      path: "http/control",
      tell: (ask) => {
        control.receive(ask);
        return "accepted";
      },
    }, parseAsk);
    return edge;
  }

  linked(link: Link): void {
    if (!link.peer.startsWith("shard-")) return;
    const shard = Number(link.peer.slice("shard-".length));
    if (this.#shards.linked(shard, link)) this.#plane.interrupted();
    this.#intake.linked(shard, link);
    this.#messages.linked(shard, link);
    // One that is there anew, or knows what a predecessor of this edge has told.
    if (this.#carriers !== undefined) link.ref(revokedName).tell(this.#carriers.revoked);
  }

  answer(question: ShardQuestion): unknown {
    switch (question.kind) {
      case "snapshot":
        return this.#snapshot();
      case "refused_topics":
        return this.#intake.hub.refusedTopics.list();
      case "recovered":
        return 0;
      case "listen":
        return this.#listener.listen().then(() => null);
      case "reload":
        return this.#listener.reload();
      case "drain":
        return this.#drain();
      case "flush":
        return true;
      default:
        throw new TypeError(`the HTTP edge has no ${question.kind}`);
    }
  }

  async stop(): Promise<void> {
    this.#carriers?.close();
    await this.#listener.stop();
    await this.#system.stop();
    this.#messages.close();
  }

  /** Takes no readings any more, and ends when those it took are settled. */
  async #drain(): Promise<void> {
    this.#plane.drain();
    await this.#intake.settled();
  }

  /** Accounts or certificates have changed: who may be here no more ends. */
  #recheck(): void {
    this.#stations.recheck();
    this.#plane.recheck();
  }

  #openStations(
    { auth }: Config,
    intake: Intake,
    socket: ServerSocketOptions,
    bytesMax: number,
  ): Stations {
    const { admit, isCurrent, endOf, senderOf, bannedUntilMs } = this.#identity;
    const guard = this.#guard;
    return new Stations({
      intake,
      socket,
      bytesMax,
      clock,
      required: auth.required,
      admit,
      bannedUntilMs,
      flapped: (client) => guard.ended(client),
      isCurrent,
      endOf,
      senderOf,
      door: {
        enter: (address) => guard.enter(address) === undefined,
        left: (address) => guard.left(address),
      },
    });
  }

  #openCarriers(sessionPaths: readonly string[], socket: ServerSocketOptions): Carriers {
    return new Carriers({
      socket,
      shards: sessionPaths.length,
      dial: (shard) => Deno.connect({ transport: "unix", path: sessionPaths[shard]! }),
      revoked: (prints) => {
        for (const link of this.#shards.links) link.ref(revokedName).tell(prints);
      },
    });
  }

  #openPlane(
    config: Config,
    intake: Intake,
    limits: HttpLimits,
    main: WorkerBoot["host"],
  ): DataPlane {
    const identity = this.#identity;
    const { isCurrent, endOf, senderOf, isBanned, passFor, shownIn } = identity;
    const { pubsub, retained } = this.#messages;
    const { hub } = this.#intake;
    return new DataPlane({
      ...(this.#carriers === undefined ? {} : { carriers: this.#carriers }),
      forward: forwarder(main, { deadlineMs: controlBodyMs, clock }, this.#callers, passFor),
      intake,
      clock,
      log,
      callers: this.#callers,
      live: this.#shards.liveSource(),
      senderOf,
      isCurrent,
      endOf,
      isBanned,
      stalled: () => this.#intake.stalled,
      stations: this.#stations,
      topics: {
        pubsub,
        retained,
        intake: hub,
        devices: this.#shards.topicDevices((topic) => this.#intake.entryOf(topic)),
        payloadBytesMax: config.limits.payloadBytesMax,
        historyBytesMax: limits.messageBytes / 4,
        sentBytesMax: limits.followerBytes,
        takeMessage: (sender) => this.#guard.rates?.takeMessage(sender) ?? 0,
      },
      shownIn,
      claimsOf: (request) => identity.shownBy(request, this.#callers.of(request)),
      limits: {
        bodiesBytes: limits.bodyBytes,
        bodyBytesMax: Math.min(config.http.bodyBytesMax, limits.bodyBytes / 2),
        bodyMs: config.http.bodyTimeoutMs,
      },
    });
  }

  #snapshot(): ShardSnapshot {
    const books = this.#intake.snapshot();
    return {
      ...books,
      sessions: this.#plane.sessions(),
      counters: {
        ...books.counters,
        ...this.#plane.counters(),
        ...this.#listener.counters(),
        ...this.#guard.counters(),
        ...this.#identity.gate.counters(),
        ...this.#messages.counters(),
        ...stdoutLines.counters(),
      },
      gauges: {
        ...books.gauges,
        ...this.#plane.gauges(),
        ...this.#listener.gauges(),
        ...this.#messages.gauges(),
      },
    };
  }
}
