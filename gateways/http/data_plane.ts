/**
 * What the HTTP edge answers itself: everything that carries readings. The rest belongs to the
 * control plane, which is the main thread's.
 *
 * @module
 */
import type { Intake, Transport } from "../../actors/intake.ts";
import type { Sender } from "../../actors/rates/rates.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../log/log.ts";
import type { Carriers } from "../mqtt/websocket/carriers.ts";
import type { Stations } from "../websocket/stations.ts";
import { maySend } from "../auth/api_guard.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { Claims } from "../auth/token.ts";
import type { HttpHandler } from "./app.ts";
import { checkAccept } from "./accept.ts";
import { byteBudget } from "./body.ts";
import type { Caller, Callers } from "./callers.ts";
import { headOfStream } from "./head.ts";
import { accountOf, unseen } from "./ingest/item_tokens.ts";
import { postReadings } from "./ingest/post_readings.ts";
import { liveQuery } from "./live/live_query.ts";
import { LiveStream } from "./live/live_stream.ts";
import type { LiveSource } from "./live/source.ts";
import type { Operation } from "./openapi/operation.ts";
import {
  type EdgeOperation,
  edgeOperations,
  findOperation,
  type OperationId,
  operations,
  withoutOperation,
} from "./openapi/resources.ts";
import { Problem, problemResponse } from "./problem.ts";
import type { TopicDevices } from "./topics/current_values.ts";
import { Topics, type TopicsParts } from "./topics/topics.ts";
import { refuseForeign, secured } from "./security.ts";
import { commandStation } from "./station_command.ts";
import { Viewers, type ViewersOptions } from "./viewers.ts";

export interface DataPlaneParts {
  /** Answers what is not the data plane's. */
  readonly forward: HttpHandler;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: DataPlaneLimits;
  /** Who made a request. */
  readonly callers: Callers;
  readonly live: LiveSource;
  /** Whose rates are for an account, which may be none, and an IP address. */
  readonly senderOf: (account: string, address: string) => Sender | undefined;
  /** False once the account of a token is not what it was any more. */
  readonly isCurrent: (claims: Claims) => boolean;
  /** Why a client's certificate is good no more. */
  readonly endOf: (certificate: ClientCertificate) => "expired" | "revoked" | undefined;
  readonly isBanned: ViewersOptions["isBanned"];
  /** Whether the spool of some shard takes nothing now. */
  readonly stalled: () => boolean;
  readonly stations: Stations;
  /** MQTT over WebSocket; absent when it is turned off. */
  readonly carriers?: Carriers;
  /** Messages, and an intake that does not itself send readings to subscribers. */
  readonly topics:
    & Pick<
      TopicsParts,
      "pubsub" | "retained" | "intake" | "historyBytesMax" | "sentBytesMax" | "takeMessage"
    >
    & {
      readonly devices: TopicDevices;
      readonly payloadBytesMax: number;
    };
  /** Whose a token in a body is. Rejects when it is not good. */
  readonly shownIn: (token: string, caller: Caller) => Promise<Claims>;
  /** Who makes a request that does not go through the API's guard, if that is shown. */
  readonly claimsOf: (request: Request) => Promise<Claims | undefined>;
}

export interface DataPlaneLimits {
  /** Largest body, as it comes and unpacked. */
  readonly bodyBytesMax: number;
  /** How long a body may take to come. */
  readonly bodyMs: number;
  /** What the bodies under way may take together. */
  readonly bodiesBytes: number;
}

/**
 * What one who has shown no token may send, and all of them at once: enough for a hundred
 * readings of a station, and at most some 20 ms of the thread for items that are all wrong.
 */
const strangerBytesMax = 16 * 1024;
const strangersBytesMax = 4 * 1024 * 1024;

/** How long a request waits for credit, and for what was taken to be durable. */
const creditMs = 5_000;
const settleMs = 30_000;

/** Answers an operation; `name` is what the path has for its parameter, as it came. */
type EdgeHandler = (request: Request, name: string) => Response | Promise<Response>;

const isEdgeOperation = (id: OperationId): id is EdgeOperation => id in edgeOperations;

/** Of the API, what it answers must be accepted; topics say themselves what they have. */
function checkAnswerable({ headers }: Request, { path, answers }: Operation): void {
  if (!path.startsWith("/api/")) return;
  const types = answers.flatMap(({ content = {} }) => Object.keys(content));
  if (types.length > 0 && !types.includes("*/*")) checkAccept(headers.get("accept"), types);
}

/** Viewers at once: each costs every shard a look at its devices now and then. */
const streamsMax = 128;

const retryLater = { "retry-after": "5" };
const shuttingDown = (): Problem =>
  new Problem("not-ready", "the service is shutting down", {}, retryLater);

/** See the module. */
export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #budget: ReturnType<typeof byteBudget>;
  /** Those who have shown no token take none of the others' room. */
  readonly #strangersBudget: ReturnType<typeof byteBudget>;
  readonly #viewers: Viewers;
  readonly #topics: Topics;
  readonly #handlers: Readonly<Record<EdgeOperation, EdgeHandler>>;
  #draining = false;

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
    const { bodiesBytes } = parts.limits;
    const strangersBytes = Math.min(strangersBytesMax, bodiesBytes / 8);
    this.#strangersBudget = byteBudget(strangersBytes);
    this.#budget = byteBudget(bodiesBytes - strangersBytes);
    const { clock, limits, isCurrent, endOf, isBanned, topics, stalled } = parts;
    this.#viewers = new Viewers({ clock, isCurrent, endOf, isBanned, countMax: streamsMax });
    const { bodyMs } = limits;
    this.#topics = new Topics({
      ...topics,
      clock,
      isCurrent,
      endOf,
      isBanned,
      stalled,
      bodyMs,
      settleMs,
      budget: this.#budget,
    });
    const topic = (request: Request) => this.#topic(request);
    this.#handlers = {
      postReadings: (request) => this.#postReadings(request),
      getLive: (request) => this.#live(request),
      getTopic: topic,
      putTopic: topic,
      postTopic: topic,
      deleteTopic: topic,
      openStation: (request) => this.#station(request),
      openMqtt: (request) => this.#mqtt(request),
      commandStation: (request, name) =>
        commandStation(request, name, parts.stations, {
          deadlineMs: bodyMs,
          clock,
          budget: this.#budget,
        }),
    };
  }

  /** A shard is there anew. */
  interrupted(): void {
    this.#topics.interrupted();
  }

  /** Accounts have changed, or somebody was banned: who may see no more is ended. */
  recheck(): void {
    this.#viewers.recheck();
    this.#topics.recheck();
  }

  /** Never rejects. */
  async handle(request: Request): Promise<Response> {
    const found = findOperation(request);
    if (found === undefined) return secured(withoutOperation(request));
    const { id, name = "" } = found;
    try {
      refuseForeign(request);
      checkAnswerable(request, operations[id]);
      if (!isEdgeOperation(id)) return secured(await this.#parts.forward(request));
      const answer = await this.#handlers[id](request, name);
      // The answer after which a connection is taken over reaches nobody.
      return operations[id].access === "connection" ? answer : secured(answer);
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  /** Takes no more readings, and ends what would not end by itself. */
  drain(): void {
    this.#draining = true;
    this.#parts.stations.drain();
    this.#parts.carriers?.drain();
    this.#viewers.close();
    this.#topics.drain();
  }

  sessions(): Partial<Record<Transport, number>> {
    return { websocket: this.#parts.stations.size };
  }

  counters(): Record<string, number> {
    const { carriers, stations } = this.#parts;
    return { ...stations.counters(), ...carriers?.counters(), ...this.#topics.counters() };
  }

  gauges(): Record<string, number> {
    return {
      sluice_http_body_bytes: this.#budget.used + this.#strangersBudget.used,
      sluice_live_viewers: this.#viewers.size,
      ...this.#parts.stations.gauges(),
      ...this.#parts.carriers?.gauges(),
      ...this.#topics.gauges(),
    };
  }

  /** An error as a problem, with the headers that guard a browser. */
  #failed(request: Request, error: unknown): Response {
    if (error instanceof Problem) return secured(problemResponse(error));
    const { method, url } = request;
    this.#parts.log.error("a request failed", { method, path: new URL(url).pathname, error });
    return secured(problemResponse(new Problem("internal", "the log has the cause")));
  }

  async #station(request: Request): Promise<Response> {
    const { stations, callers, claimsOf } = this.#parts;
    return stations.upgrade(request, callers.of(request), await claimsOf(request));
  }

  async #mqtt(request: Request): Promise<Response> {
    const { carriers, callers } = this.#parts;
    if (carriers === undefined) throw new Problem("not-found", "MQTT over WebSocket is turned off");
    return await carriers.upgrade(request, callers.of(request));
  }

  #live(request: Request): Response {
    const { live, clock, callers } = this.#parts;
    if (this.#draining) throw shuttingDown();
    const query = liveQuery(request, live.shards);
    const headers = { "content-type": "text/event-stream" };
    if (request.method === "HEAD") return headOfStream(headers);
    if (this.#viewers.full) {
      throw new Problem("unavailable", `there are ${streamsMax} viewers already`, {}, retryLater);
    }
    const caller = callers.of(request);
    const stream = new LiveStream({
      source: live,
      clock,
      query,
      mayGoOn: () => this.#viewers.mayGoOn(caller),
      ended: () => this.#viewers.delete(stream),
    });
    this.#viewers.add(stream, caller);
    return new Response(stream.body, { headers });
  }

  async #topic(request: Request): Promise<Response> {
    const caller = this.#parts.callers.of(request);
    const { claims, peer } = caller;
    const sender = this.#parts.senderOf(claims?.name ?? "", peer);
    switch (request.method) {
      case "PUT":
      case "POST":
        if (this.#draining) throw shuttingDown();
        return await this.#topics.publish(request, claims, request.method === "PUT", sender);
      case "DELETE":
        return await this.#topics.clear(request, claims, sender);
      default:
        if (this.#draining) throw shuttingDown();
        return await this.#topics.get(request, caller);
    }
  }

  async #postReadings(request: Request): Promise<Response> {
    if (this.#draining) throw shuttingDown();
    const { intake, clock, limits, callers, stalled, senderOf, shownIn } = this.#parts;
    const caller = callers.of(request);
    const { isStranger = false } = caller;
    const { bodyBytesMax, bodyMs } = limits;
    let isKnown = !isStranger;
    const answer = postReadings(request, {
      intake,
      clock,
      budget: isStranger ? this.#strangersBudget : this.#budget,
      bodyBytesMax: isStranger ? Math.min(strangerBytesMax, bodyBytesMax) : bodyBytesMax,
      bodyMs,
      creditMs,
      settleMs,
      stalled,
      senderOf: async (tokens) => {
        const claims = await accountOf(tokens, caller, shownIn);
        isKnown = true;
        return {
          sender: senderOf(claims?.name ?? "", caller.peer),
          ...(claims === undefined ? {} : { permits: (topic) => maySend(claims, topic) }),
        };
      },
    });
    return await answer.catch((error: unknown) => {
      throw isKnown ? error : unseen(error);
    });
  }
}
