/**
 * HTTP, in a Worker of its own: it answers the data plane, with lanes to every shard as an edge of
 * a shard has them, so that a reading never comes near the main thread; everything else it passes
 * on to the main thread. No code of users runs here, and no device: what a shard goes through,
 * a crash or a spin, does not keep anybody from asking how it is.
 *
 * @module
 */
import { IntakeHub } from "../actors/intake_hub.ts";
import { Ledger } from "../actors/ledger.ts";
import type { CompiledRoute } from "../actors/route.ts";
import type { TopicEntry } from "../actors/reading.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { Histogram } from "../actors/histogram.ts";
import { Stalls } from "../actors/spool/stalls.ts";
import { TopicTable } from "../actors/topic_table.ts";
import type { Config } from "../config.ts";
import type { ListenAddress } from "../config/listen_address.ts";
import type { HttpHandler } from "../gateways/http/app.ts";
import type { ClientCertificate } from "../gateways/mqtt/endpoint/arrival.ts";
import { BufferBudget } from "../gateways/mqtt/endpoint/read_buffer.ts";
import { HeardIntake } from "../gateways/mqtt/pubsub/heard_intake.ts";
import { Carriers } from "../gateways/mqtt/websocket/carriers.ts";
import { revokedName } from "../gateways/mqtt/websocket/revoked_certificates.ts";
import { Callers } from "../gateways/http/callers.ts";
import { DataPlane } from "../gateways/http/data_plane.ts";
import { forwarder } from "../gateways/http/forward/forwarder.ts";
import { tokenOf } from "../gateways/auth/api_guard.ts";
import { Certified, passFor } from "../gateways/auth/certified.ts";
import type { Claims } from "../gateways/auth/token.ts";
import type { TokenGate } from "../gateways/auth/token_gate.ts";
import { Stations } from "../gateways/websocket/stations.ts";
import type { BannedUntil } from "../gateways/http/banned.ts";
import { claimsOf, guarded } from "../gateways/http/guard.ts";
import { type LiveSource, parseChanges } from "../gateways/http/live/source.ts";
import { hostNames } from "../gateways/http/host_names.ts";
import { type HttpServer, serveHttp } from "../gateways/http/server.ts";
import { isDevice } from "../gateways/http/control.ts";
import type { TopicDevices } from "../gateways/http/topics/current_values.ts";
import { logger, startLog } from "../gateways/log/log.ts";
import { AskError } from "../runtime/ask.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { WorkerBoot, WorkerProgram } from "../runtime/worker_serve.ts";
import { setImmediate } from "node:timers";
import { Guard, type GuardInit, isGuardInit } from "./guard.ts";
import { HttpAcceptors } from "./http_acceptors.ts";
import { banReporter } from "./service_bans.ts";
import { httpLimits } from "./limits.ts";
import { PeerLink } from "./peer_link.ts";
import { ActorSystem } from "../runtime/system.ts";
import { ShardMessages } from "./shard_messages.ts";
import { shardRoutes } from "./routes.ts";
import { ShardControl } from "./shard_control.ts";
import { WorkerAccounts } from "./worker_accounts.ts";
import {
  controlName,
  isFields,
  parseAsk,
  parseReply,
  type ShardAsk,
  type ShardQuestion,
} from "./shard_protocol.ts";

const log = logger("http");
const clock = systemClock;

/** What the Worker starts with. */
export interface HttpInit {
  readonly shards: number;
  readonly config: Config;
  readonly gatewayId: string;
  readonly ledgerMemory: SharedArrayBuffer;
  /** Spools that take nothing now. */
  readonly stalls: SharedArrayBuffer;
  readonly guard: GuardInit;
  readonly http: ListenAddress | undefined;
  readonly httpTls: ListenAddress | undefined;
  /** By shard: where MQTT over WebSocket goes. */
  readonly sessionPaths: readonly string[] | undefined;
}

/** Structured clone made it, on our own orders: what is checked is that it is one at all. */
function parseHttpInit(value: unknown): HttpInit {
  if (isHttpInit(value)) return value;
  throw new TypeError("Cannot start the HTTP edge: its orders have the wrong shape");
}

function isHttpInit(value: unknown): value is HttpInit {
  return isFields(value) && typeof value.shards === "number" && isFields(value.config) &&
    value.ledgerMemory instanceof SharedArrayBuffer &&
    value.stalls instanceof SharedArrayBuffer &&
    isGuardInit(value.guard);
}

/** How long a body of the control plane may take to come. */
const controlBodyMs = 10_000;
/** Of the time to close, what requests under way may take. */
const closeShare = 0.5;
const drainPollMs = 5;
/** A WebSocket from which not even an answer to a ping comes ends. */
const webSocketIdleMs = 30_000;
/** How long a shard may take to say what has changed. */
const askMs = 2_000;

/** See the module. */
export class HttpEdge implements WorkerProgram {
  readonly #init: HttpInit;
  readonly #ledger: Ledger;
  readonly #topics: TopicTable;
  readonly #hub: IntakeHub;
  readonly #peers = new Map<number, PeerLink>();
  readonly #links = new Map<number, Link>();
  readonly #plane: DataPlane;
  readonly #carriers: Carriers | undefined;
  readonly #callers = new Callers();
  readonly #guard: Guard;
  readonly #handle: HttpHandler;
  readonly #system: ActorSystem;
  readonly #messages: ShardMessages;
  readonly #tokens: TokenGate;
  /** Read buffers that have grown, of all connections. */
  readonly #budget: BufferBudget;
  #malformed = 0;
  readonly #acceptors: HttpAcceptors;
  #serving: Promise<HttpServer> | undefined;
  #server: HttpServer | undefined;

  private constructor(init: HttpInit, routes: readonly CompiledRoute[], boot: WorkerBoot) {
    const { config, shards } = init;
    const guard = this.#guard = new Guard(
      init.guard,
      config,
      shards,
      banReporter(boot),
    );
    const limits = httpLimits(config, shards);
    this.#init = init;
    this.#acceptors = new HttpAcceptors({
      config: config.http,
      plain: init.http,
      secure: init.httpTls,
      clock,
      door: guard,
      certificatesChanged: () => {
        stations.recheck();
        this.#plane.recheck();
        this.#carriers?.recheck((certificate) => this.#acceptors.isRevoked(certificate));
      },
    });
    this.#ledger = new Ledger(init.ledgerMemory);
    this.#topics = new TopicTable(routes, {
      gatewayId: init.gatewayId,
      entriesMax: config.limits.topicsMax,
      hashSeed: crypto.getRandomValues(new Uint32Array(1))[0]!,
    });
    const stalls = new Stalls(init.stalls);
    this.#hub = new IntakeHub({
      stalled: (owner) => stalls.has(owner),
      shards,
      topics: this.#topics,
      ledger: this.#ledger,
      laneBytes: limits.laneBytes,
      payloadBytesMax: config.limits.payloadBytesMax,
      now: () => clock.now(),
      rates: guard.rates,
      defer: (run) => {
        setImmediate(run);
      },
      transmit: (owner, ackLevel, batch) => this.#peers.get(owner)?.transmit(ackLevel, batch),
    });
    for (let shard = 0; shard < shards; shard++) {
      this.#hub.ownerLost(shard); // Until its link is there.
      this.#peers.set(shard, this.#peer(shard));
    }
    this.#system = new ActorSystem({
      name: "http",
      onSupervision: (event) => {
        const { failure } = event;
        if (failure === undefined) return;
        log.error("an actor failed", { actor: event.path, failure: failure.message });
      },
    });
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
    const { required } = config.auth;
    const senderOf = (account: string, address: string) => guard.senderOf(account, address);
    const accounts: WorkerAccounts = new WorkerAccounts(boot, guard, () => {
      stations.recheck();
      this.#plane.recheck();
    });
    this.#tokens = accounts.gate;
    const certified = new Certified({
      gate: accounts.gate,
      ask: accounts.ask,
      isRevoked: (certificate) => this.#acceptors.isRevoked(certificate),
      clock,
    });
    const identity = { gate: accounts.gate, clock, certified };
    const isCurrent = (claims: Claims): boolean => certified.isCurrent(claims);
    const endOf = (certificate: ClientCertificate) => certified.endOf(certificate);
    const intake = new HeardIntake(this.#hub, this.#messages.pubsub);
    this.#budget = new BufferBudget(limits.webSocketBytes);
    const socket = { clock, budget: this.#budget, idleMs: webSocketIdleMs };
    const bannedUntilMs: BannedUntil = (client, comes) =>
      comes ? guard.banned(client) : guard.bannedUntilMs(client);
    const stations: Stations = new Stations({
      intake,
      socket,
      bytesMax: limits.webSocketBytes,
      clock,
      required,
      admit: (token) => accounts.gate.admit(token, clock.now()),
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
    guard.watchBans(() => {
      stations.bansChanged();
      this.#plane.recheck();
    });
    const { sessionPaths } = init;
    this.#carriers = sessionPaths && new Carriers({
      socket,
      shards,
      dial: (shard) => Deno.connect({ transport: "unix", path: sessionPaths[shard]! }),
      revoked: (prints) => {
        for (const link of this.#links.values()) link.ref(revokedName).tell(prints);
      },
    });
    this.#plane = new DataPlane({
      ...(this.#carriers === undefined ? {} : { carriers: this.#carriers }),
      forward: forwarder(
        boot.host,
        { deadlineMs: controlBodyMs, clock },
        this.#callers,
        (claims) => passFor(claims, accounts.gate.keys, clock.now()),
      ),
      intake,
      clock,
      log,
      callers: this.#callers,
      live: this.#liveSource(),
      senderOf,
      isCurrent,
      endOf,
      isBanned: ({ peer, claims }) =>
        guard.bannedUntilMs({ account: claims?.name ?? "", clientId: "", address: peer }) > 0,
      stalled: () => stalls.any,
      stations,
      topics: {
        pubsub: this.#messages.pubsub,
        retained: this.#messages.retained,
        intake: this.#hub,
        devices: this.#topicDevices(),
        payloadBytesMax: config.limits.payloadBytesMax,
        historyBytesMax: limits.messageBytes / 4,
        takeMessage: (sender) => guard.rates?.takeMessage(sender) ?? 0,
      },
      claimsOf: async (request) => {
        const { headers } = request;
        const caller = this.#callers.of(request);
        const isShown = tokenOf(headers) !== undefined || caller.certificate !== undefined;
        return required && isShown ? await claimsOf(headers, caller, identity) : undefined;
      },
      limits: {
        bodiesBytes: limits.bodyBytes,
        bodyBytesMax: Math.min(config.http.bodyBytesMax, limits.bodyBytes / 2),
        bodyMs: config.http.bodyTimeoutMs,
      },
    });
    this.#handle = guarded({
      handle: (request) => this.#plane.handle(request),
      callers: this.#callers,
      ...identity,
      required,
      bannedUntilMs,
    });
  }

  static async start(boot: WorkerBoot): Promise<HttpEdge> {
    const init = parseHttpInit(boot.init);
    const { level, format } = init.config.log;
    startLog({ level, format, fields: { worker: boot.id } });
    const edge = new HttpEdge(init, await shardRoutes(init.config), boot);
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
    if (this.#links.has(shard)) this.#plane.interrupted();
    this.#links.set(shard, link);
    this.#peers.get(shard)?.linked(link);
    this.#messages.linked(shard, link);
    // One that is there anew, or knows what a predecessor of this edge has told.
    if (this.#carriers !== undefined) link.ref(revokedName).tell(this.#carriers.revoked);
  }

  answer(question: ShardQuestion): unknown {
    switch (question.kind) {
      case "snapshot":
        return this.#snapshot();
      case "refused_topics":
        return this.#hub.refusedTopics.list();
      case "recovered":
        return 0;
      case "listen":
        this.#serving ??= this.#serve().catch((cause: unknown) => {
          this.#serving = undefined; // It may be asked again.
          throw cause;
        });
        return this.#serving.then(() => null);
      case "reload":
        return this.#acceptors.reload();
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
    const server = await this.#serving?.catch(() => undefined);
    await server?.close(this.#init.config.shutdown.closeMs * closeShare);
    await this.#system.stop();
    this.#messages.close();
  }

  async #serve(): Promise<HttpServer> {
    const { auth, http } = this.#init.config;
    const { headTimeoutMs, idleTimeoutMs, connectionsMax } = http;
    const openHere = !auth.required && !http.insecureAllowAnonymousRemote;
    const acceptors = await this.#acceptors.open();
    try {
      return this.#server = serveHttp(acceptors, this.#handle, {
        clock,
        budget: this.#budget,
        headTimeoutMs,
        idleTimeoutMs,
        connectionsMax,
        acceptFailed: (cause) => log.warn("no connection can be accepted now", { cause }),
        ...(openHere && { isKnownHost: hostNames(http.hostNames) }),
      });
    } catch (cause) {
      for (const acceptor of acceptors) acceptor.close();
      throw cause;
    }
  }

  /** Takes no readings any more, and ends when those it took are settled. */
  async #drain(): Promise<void> {
    this.#plane.drain();
    while (this.#hub.readings > 0) {
      await new Promise<void>((resolve) => {
        clock.setTimer(drainPollMs, resolve);
      });
    }
  }

  #liveSource(): LiveSource {
    return {
      shards: this.#init.shards,
      changes: async (shard, query) =>
        parseChanges(await this.#ask(shard, { kind: "changes", query })),
    };
  }

  /** A topic's device, as its route says, and what the device's shard remembers of it. */
  #topicDevices(): TopicDevices {
    const entryOf = (topic: string): TopicEntry | undefined => {
      const bytes = utf8.encode(topic);
      const found = this.#topics.lookup(bytes, 0, bytes.length);
      return found.kind === "topic" ? found : undefined;
    };
    return {
      idOf: (topic) => entryOf(topic)?.deviceId,
      find: async (topic) => {
        const entry = entryOf(topic);
        if (entry === undefined) return undefined;
        const shard = (entry.deviceHash >>> 0) % this.#init.shards;
        const answer = await this.#ask(shard, { kind: "device", id: entry.deviceId });
        return isDevice(answer) ? answer : undefined;
      },
    };
  }

  #ask(shard: number, question: ShardQuestion): Promise<unknown> {
    const link = this.#links.get(shard);
    if (link === undefined) {
      return Promise.reject(new AskError("stopped", `shard ${shard} is being restarted`));
    }
    return link.ask(
      link.ref<ShardAsk>(controlName),
      (replyTo) => ({ question, replyTo }),
      { deadlineMs: askMs, parse: parseReply },
    );
  }

  #peer(shard: number): PeerLink {
    const malformed = (cause: unknown) => {
      this.#malformed++;
      log.error("what a shard sent cannot be read", { from: shard, cause });
    };
    return new PeerLink({
      shard,
      hub: this.#hub,
      ingest: () => malformed(new Error("it owns no device, and got readings")),
      settled: () => {},
      malformed,
    });
  }

  #snapshot(): ShardSnapshot {
    const books = this.#ledger.books();
    const { deadLettered, refused } = this.#ledger.reasons();
    return {
      shard: this.#init.shards,
      name: "http",
      received: books.received,
      settled: { stored: books.stored, duplicate: books.duplicate, deadLettered, refused },
      inFlight: books.inFlight,
      spoolReadings: 0,
      spoolBytes: 0,
      settleSeconds: noSeconds,
      storeSeconds: noSeconds,
      sessions: this.#plane.sessions(),
      devices: { online: 0, silent: 0, offline: 0 },
      mailboxDepth: {},
      restarts: {},
      counters: {
        sluice_peer_frames_malformed_total: this.#malformed,
        ...this.#plane.counters(),
        ...this.#server?.counters(),
        ...this.#acceptors.counters(),
        ...this.#guard.counters(),
        ...this.#tokens.counters(),
        ...this.#messages.counters(),
      },
      gauges: {
        sluice_lane_bytes: this.#hub.usedBytes,
        ...this.#plane.gauges(),
        ...this.#server?.gauges(),
        ...this.#messages.gauges(),
      },
      notReady: [],
    };
  }
}

const utf8 = new TextEncoder();
const noSeconds = new Histogram().snapshot();
