/**
 * `/api/topics/{topic}`: the topics of MQTT as resources of HTTP. The value of a topic is read,
 * published, cleared and followed, and what happens on either side is seen on the other.
 *
 * @module
 */
import type { Intake } from "../../../actors/intake.ts";
import type { Sender } from "../../../actors/rates/rates.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { maySubscribe, mayWrite } from "../../auth/permissions.ts";
import type { ClientCertificate } from "../../mqtt/endpoint/arrival.ts";
import type { Claims } from "../../auth/token.ts";
import { noProperties } from "../../mqtt/codec/properties.ts";
import type { PubSub } from "../../mqtt/pubsub/pubsub.ts";
import type { RetainedSource } from "../../mqtt/pubsub/retained_feed.ts";
import { boundedBody, type ByteBudget } from "../body.ts";
import { headOfStream } from "../head.ts";
import { unpack } from "../ingest/unpack.ts";
import { Problem, rateLimited } from "../problem.ts";
import { integer, parametersOf } from "../request.ts";
import type { Caller } from "../callers.ts";
import { Viewers, type ViewersOptions } from "../viewers.ts";
import { CurrentValues, type TopicDevices } from "./current_values.ts";
import { publishOrder } from "./publish_order.ts";
import { checkRetained, publishMessage, publishTopic } from "./publish_topic.ts";
import { messageJson } from "./topic_event.ts";
import { checkFilter, checkName, topicOf } from "./topic_path.ts";
import { lastEventOf, TopicStream } from "./topic_stream.ts";
import { tagOf, valueResponse } from "./topic_value.ts";
import { followersMax, watchCountMax, Watches } from "./watches.ts";

export interface TopicsParts {
  readonly pubsub: Pick<PubSub, "listen" | "unlisten" | "publish" | "mayRetain" | "flush">;
  readonly retained: RetainedSource;
  /** Takes readings, and does not itself send them to subscribers. */
  readonly intake: Intake;
  readonly devices: TopicDevices;
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly payloadBytesMax: number;
  /** How long a body may take to come, and a reading to be durable. */
  readonly bodyMs: number;
  readonly settleMs: number;
  /** What all messages that are kept for viewers may take. */
  readonly historyBytesMax: number;
  /** What is written for viewers and they have not taken. */
  readonly sentBytesMax: number;
  readonly isCurrent: (claims: Claims) => boolean;
  /** Why a client's certificate is good no more. */
  readonly endOf: (certificate: ClientCertificate) => "expired" | "revoked" | undefined;
  readonly isBanned: ViewersOptions["isBanned"];
  /** Takes a message of which no reading is made: 0, or after how many ms its sender may send it. */
  readonly takeMessage: (sender: Sender) => number;
  /** Whether the spool of some shard takes nothing now. */
  readonly stalled: () => boolean;
}

const eventStream = "text/event-stream";

/** See the module. */
export class Topics {
  readonly #parts: TopicsParts;
  readonly #watches: Watches;
  readonly #values: CurrentValues;
  readonly #viewers: Viewers;
  #lost = 0;

  constructor(parts: TopicsParts) {
    this.#parts = parts;
    const { pubsub, clock, historyBytesMax, sentBytesMax, retained, devices } = parts;
    const { isCurrent, endOf, isBanned } = parts;
    this.#viewers = new Viewers({ clock, isCurrent, endOf, isBanned, countMax: followersMax });
    this.#watches = new Watches({ pubsub, clock, bytesMax: historyBytesMax, sentBytesMax });
    this.#values = new CurrentValues({ retained, watches: this.#watches, devices, clock });
  }

  /** @throws {Problem} */
  async get(request: Request, caller: Caller): Promise<Response> {
    const { claims } = caller;
    const { pathname } = new URL(request.url);
    const topic = topicOf(pathname);
    if (acceptsEvents(request.headers)) return this.#follow(request, topic, caller);
    checkName(topic);
    const parameters = parametersOf(request.url, ["history"]);
    if (parameters.has("history")) {
      const bounds = { default: watchCountMax, min: 1, max: watchCountMax };
      return this.#history(topic, integer(parameters, "history", bounds));
    }
    const value = await this.#values.of(topic, claims);
    if (value !== undefined) return valueResponse(request, value);
    throw new Problem(
      "not-found",
      "nothing is retained for the topic, and nothing was seen of it since it was first asked for",
    );
  }

  /** @throws {Problem} */
  async publish(
    request: Request,
    claims: Claims | undefined,
    retain: boolean,
    sender: Sender | undefined,
  ): Promise<Response> {
    const { clock, budget, payloadBytesMax, bodyMs, settleMs, stalled, intake, pubsub } = this
      .#parts;
    const topic = this.#writable(request, claims);
    const { asReading, ...order } = publishOrder(request, retain);
    const limits = { bytesMax: payloadBytesMax, deadlineMs: bodyMs, clock, budget };
    const packed = await boundedBody(request, limits);
    try {
      const payload = unpack(packed, request.headers.get("content-encoding"), payloadBytesMax);
      if (payload.length === 0 && order.retain) {
        throw new Problem("invalid-body", "an empty value would clear the topic: DELETE does that");
      }
      const publication = { ...order, topic, payload, account: claims?.name ?? "" };
      const { contentType } = order.properties;
      const tag = order.retain ? tagOf({ payload, contentType }) : undefined;
      const checkConditions = await this.#values.conditions(request, topic, claims, tag);
      // From here to the publication is one turn: no other request of HTTP comes between.
      checkConditions();
      checkRetained(pubsub, publication);
      if (!asReading) this.#take(sender);
      this.#watches.of(topic);
      let reading = "none";
      if (asReading) {
        const parts = { intake, messages: pubsub, clock, settleMs, sender, stalled };
        reading = await publishTopic(parts, publication);
      } else {
        publishMessage(pubsub, publication);
      }
      // It was sent on all the same when there was no room to retain it.
      const isTagged = tag !== undefined && this.#values.isRetained(topic);
      return new Response(null, {
        status: 204,
        headers: {
          "sluice-reading": reading,
          ...(isTagged ? { etag: tag } : {}),
        },
      });
    } finally {
      budget.give(packed.length);
    }
  }

  /** @throws {Problem} */
  async clear(
    request: Request,
    claims: Claims | undefined,
    sender: Sender | undefined,
  ): Promise<Response> {
    const topic = this.#writable(request, claims);
    parametersOf(request.url, []);
    const checkConditions = await this.#values.conditions(request, topic, claims);
    checkConditions();
    this.#take(sender);
    this.#watches.of(topic);
    publishMessage(this.#parts.pubsub, {
      topic,
      payload: new Uint8Array(0),
      qos: 1,
      retain: true,
      properties: noProperties,
      account: "",
      nameHash: 0,
    });
    return new Response(null, { status: 204 });
  }

  /** Accounts have changed: who may see no more is ended. */
  recheck(): void {
    this.#viewers.recheck();
  }

  /** A shard is there anew. */
  interrupted(): void {
    this.#watches.interrupted();
  }

  /** Ends what would not end by itself. */
  drain(): void {
    this.#viewers.close();
    this.#watches.close();
  }

  counters(): Record<string, number> {
    return { sluice_topic_followers_lost_total: this.#lost };
  }

  gauges(): Record<string, number> {
    return {
      sluice_topic_followers: this.#viewers.size,
      sluice_topic_watches: this.#watches.count,
      sluice_topic_history_bytes: this.#watches.bytes,
    };
  }

  #history(topic: string, count: number): Response {
    const watch = this.#watches.of(topic);
    if (watch === undefined) throw tooMany();
    const device = this.#parts.devices.idOf(topic);
    return Response.json({
      items: watch.newest(count).map(({ message, atMs, sequence }) => ({
        id: `${this.#watches.epoch}-${sequence}`,
        ...messageJson(message, atMs),
      })),
      ...(device === undefined
        ? {}
        : { readings: `/api/readings?device=${encodeURIComponent(device)}` }),
    });
  }

  #follow(request: Request, filter: string, caller: Caller): Response {
    const { clock, retained } = this.#parts;
    checkFilter(filter);
    parametersOf(request.url, []);
    const { claims } = caller;
    if (claims !== undefined && !maySubscribe(claims.permissions, filter)) {
      throw new Problem("forbidden", `the account ${claims.name} may not read all of that`);
    }
    const headers = { "content-type": eventStream };
    if (request.method === "HEAD") return headOfStream(headers);
    const watch = this.#viewers.full ? undefined : this.#watches.of(filter);
    if (watch === undefined) throw tooMany();
    const stream = new TopicStream({
      watch,
      chunks: this.#watches.chunks,
      epoch: this.#watches.epoch,
      sequence: () => this.#watches.sequence,
      retained,
      clock,
      last: lastEventOf(request.headers.get("last-event-id")),
      mayGoOn: () => this.#viewers.mayGoOn(caller),
      lost: (count) => this.#lost += count,
      // However many they are, they are sent something a thousand times a second at most.
      gatherMs: () => this.#viewers.size,
      ended: () => {
        this.#viewers.delete(stream);
        this.#watches.of(filter); // It is kept for a while from now on.
      },
    });
    this.#viewers.add(stream, caller);
    return new Response(stream.body, { headers });
  }

  /** Holds a message that no intake takes to its sender's rate. @throws {Problem} */
  #take(sender: Sender | undefined): void {
    const waitMs = sender === undefined ? 0 : this.#parts.takeMessage(sender);
    if (waitMs > 0) throw rateLimited(waitMs);
  }

  /** The topic of a request that changes it. */
  #writable(request: Request, claims: Claims | undefined): string {
    const topic = topicOf(new URL(request.url).pathname);
    checkName(topic);
    if (topic.startsWith("$")) {
      throw new Problem("forbidden", "topics that begin with $ are the server's own");
    }
    if (claims !== undefined && !mayWrite(claims.permissions, topic)) {
      throw new Problem("forbidden", `the account ${claims.name} may not write this topic`);
    }
    return topic;
  }
}

const tooMany = (): Problem =>
  new Problem("unavailable", "too many topics are followed already", {}, { "retry-after": "5" });

const acceptsEvents = (headers: Headers): boolean =>
  (headers.get("accept") ?? "").toLowerCase().split(",")
    .some((part) => part.split(";")[0]?.trim() === eventStream);
