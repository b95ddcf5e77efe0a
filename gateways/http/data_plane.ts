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
import type { Claims } from "../auth/token.ts";
import type { HttpHandler } from "./app.ts";
import { boundedBody, byteBudget } from "./body.ts";
import type { Callers } from "./callers.ts";
import { postReadings } from "./ingest/post_readings.ts";
import { liveQuery } from "./live/live_query.ts";
import { LiveStream } from "./live/live_stream.ts";
import type { LiveSource } from "./live/source.ts";
import { Problem, problemResponse } from "./problem.ts";
import { topicsPath } from "./topics/topic_path.ts";
import { type TopicDevices, Topics, type TopicsParts } from "./topics/topics.ts";
import { refuseForeign, secured } from "./security.ts";

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
  readonly stations: Stations;
  /** MQTT over WebSocket; absent when it is turned off. */
  readonly carriers?: Carriers;
  /** Messages, and an intake that does not itself send readings to subscribers. */
  readonly topics: Pick<TopicsParts, "pubsub" | "retained" | "intake" | "historyBytesMax"> & {
    readonly devices: TopicDevices;
    readonly payloadBytesMax: number;
  };
  /** What the token of a request says that does not go through the API's guard, if it has one. */
  readonly claimsOf: (headers: Headers) => Promise<Claims | undefined>;
}

export interface DataPlaneLimits {
  /** Largest body, as it comes and unpacked. */
  readonly bodyBytesMax: number;
  /** How long a body may take to come. */
  readonly bodyMs: number;
  /** What the bodies under way may take together. */
  readonly bodiesBytes: number;
}

/** How long a request waits for credit, and for what was taken to be durable. */
const creditMs = 5_000;
const settleMs = 30_000;

const stationPath = /^\/api\/stations\/([^/]+)\/commands$/;
const commandBytesMax = 64 * 1024;

function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Problem("invalid-body", "a command is JSON");
  }
}

function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Problem("not-found", "no station has a name that is not UTF-8");
  }
}

const topicMethods = { GET: true, HEAD: true, PUT: true, POST: true, DELETE: true };

/** Viewers at once: each costs every shard a look at its devices now and then. */
const streamsMax = 128;

const retryLater = { "retry-after": "5" };
const shuttingDown = (): Problem =>
  new Problem("not-ready", "the service is shutting down", {}, retryLater);

/** See the module. */
export class DataPlane {
  readonly #parts: DataPlaneParts;
  readonly #budget: ReturnType<typeof byteBudget>;
  readonly #streams = new Set<LiveStream>();
  readonly #topics: Topics;
  #draining = false;

  constructor(parts: DataPlaneParts) {
    this.#parts = parts;
    this.#budget = byteBudget(parts.limits.bodiesBytes);
    const { clock, limits, isCurrent, topics } = parts;
    const { bodyMs } = limits;
    this.#topics = new Topics({
      ...topics,
      clock,
      isCurrent,
      bodyMs,
      settleMs,
      budget: this.#budget,
    });
  }

  /** A shard is there anew. */
  interrupted(): void {
    this.#topics.interrupted();
  }

  /** Never rejects. */
  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/readings" && request.method === "POST") {
      return await this.#guarded(request, () => this.#postReadings(request));
    }
    if (pathname === "/api/live" && (request.method === "GET" || request.method === "HEAD")) {
      return await this.#guarded(request, () => Promise.resolve(this.#live(request)));
    }
    if (pathname.startsWith(topicsPath) && request.method in topicMethods) {
      return await this.#guarded(request, () => this.#topic(request));
    }
    if (pathname === "/ws") return await this.#upgraded(request, () => this.#station(request));
    const { carriers } = this.#parts;
    if (pathname === "/mqtt" && carriers !== undefined) {
      const { peer } = this.#parts.callers.of(request);
      // Which port the client has is not known here.
      return await this.#upgraded(request, () => carriers.upgrade(request, `${peer}:0`));
    }
    const station = stationPath.exec(pathname)?.[1];
    if (station !== undefined && request.method === "POST") {
      return await this.#guarded(request, () => this.#command(request, station));
    }
    return await this.#parts.forward(request);
  }

  /** Takes no more readings, and ends what would not end by itself. */
  drain(): void {
    this.#draining = true;
    this.#parts.stations.drain();
    this.#parts.carriers?.drain();
    for (const stream of [...this.#streams]) stream.close();
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
      sluice_http_body_bytes: this.#budget.used,
      sluice_live_viewers: this.#streams.size,
      ...this.#parts.carriers?.gauges(),
      ...this.#topics.gauges(),
    };
  }

  /** Errors as problems, and the headers that guard a browser. */
  async #guarded(request: Request, answer: () => Promise<Response>): Promise<Response> {
    try {
      refuseForeign(request);
      return secured(await answer());
    } catch (error) {
      if (error instanceof Problem) return secured(problemResponse(error));
      const { method, url } = request;
      this.#parts.log.error("a request failed", { method, path: new URL(url).pathname, error });
      return secured(problemResponse(new Problem("internal", "the log has the cause")));
    }
  }

  /** The answer that makes a connection may not be touched: it has no headers of ours. */
  async #upgraded(request: Request, upgrade: () => Promise<Response>): Promise<Response> {
    try {
      return await upgrade();
    } catch (error) {
      return await this.#guarded(request, () => Promise.reject(error));
    }
  }

  async #station(request: Request): Promise<Response> {
    const { stations, callers, claimsOf } = this.#parts;
    const { peer } = callers.of(request);
    return stations.upgrade(request, peer, await claimsOf(request.headers));
  }

  async #command(request: Request, station: string): Promise<Response> {
    const { stations, clock, limits } = this.#parts;
    const body = await boundedBody(request, {
      bytesMax: commandBytesMax,
      deadlineMs: limits.bodyMs,
      clock,
      budget: this.#budget,
    });
    try {
      const command = parsedJson(body);
      return Response.json({ result: await stations.command(decodedPart(station), command) });
    } finally {
      this.#budget.give(body.length);
    }
  }

  #live(request: Request): Response {
    const { live, clock, callers, isCurrent } = this.#parts;
    if (this.#draining) throw shuttingDown();
    const query = liveQuery(request, live.shards);
    const headers = { "content-type": "text/event-stream" };
    if (request.method === "HEAD") return new Response(null, { headers });
    if (this.#streams.size >= streamsMax) {
      throw new Problem("unavailable", `there are ${streamsMax} viewers already`, {}, retryLater);
    }
    const { claims } = callers.of(request);
    const stream = new LiveStream({
      source: live,
      clock,
      query,
      mayGoOn: () =>
        claims === undefined || (isCurrent(claims) && clock.now() < claims.expiresS * 1_000),
      ended: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    return new Response(stream.body, { headers });
  }

  async #topic(request: Request): Promise<Response> {
    const { claims, peer } = this.#parts.callers.of(request);
    const sender = this.#parts.senderOf(claims?.name ?? "", peer);
    switch (request.method) {
      case "PUT":
      case "POST":
        if (this.#draining) throw shuttingDown();
        return await this.#topics.publish(request, claims, request.method === "PUT", sender);
      case "DELETE":
        return this.#topics.clear(request, claims);
      default:
        if (this.#draining) throw shuttingDown();
        return await this.#topics.get(request, claims);
    }
  }

  async #postReadings(request: Request): Promise<Response> {
    if (this.#draining) throw shuttingDown();
    const { intake, clock, limits, callers } = this.#parts;
    const { claims, peer } = callers.of(request);
    const { bodyBytesMax, bodyMs } = limits;
    const budget = this.#budget;
    return await postReadings(request, {
      intake,
      clock,
      budget,
      bodyBytesMax,
      bodyMs,
      creditMs,
      settleMs,
      sender: this.#parts.senderOf(claims?.name ?? "", peer),
      ...(claims === undefined ? {} : { permits: (topic) => maySend(claims, topic) }),
    });
  }
}
