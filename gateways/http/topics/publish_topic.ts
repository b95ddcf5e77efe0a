/**
 * `PUT` and `POST` of a topic: its message for subscribers, and its reading, as a PUBLISH of MQTT is
 * both. The answer comes when the reading is settled.
 *
 * @module
 */
import type { Intake, Offer, OfferResult, Origin, Rejection } from "../../../actors/intake.ts";
import { blankOffer, offerFlags } from "../../../actors/intake.ts";
import type { Clock } from "../../../runtime/clock.ts";
import type { Properties } from "../../mqtt/codec/property_table.ts";
import type { PubSub } from "../../mqtt/pubsub/pubsub.ts";
import type { Sender } from "../../../actors/rates/rates.ts";
import { Submission } from "../ingest/submission.ts";
import { Problem, type ProblemType, rateLimited } from "../problem.ts";

export type TopicMessages = Pick<PubSub, "publish" | "flush">;

/** What is to be published. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Whose it is when it is retained; empty: nobody's. */
  readonly account: string;
  readonly properties: Properties;
  /** Of the key by which it is known when it comes again; 0: it has none. */
  readonly nameHash: number;
}

export interface PublishParts {
  readonly intake: Intake;
  readonly messages: TopicMessages;
  readonly clock: Clock;
  /** Whose rates a reading is held to. */
  readonly sender: Sender | undefined;
  /** How long to wait until the reading is durable. */
  readonly settleMs: number;
  /** Whether the spool of some shard takes nothing now. */
  readonly stalled: () => boolean;
}

/** Sends the message on when the intake has taken its reading, or when no route wants it. */
class MessageIntake implements Intake {
  readonly #parts: PublishParts;
  readonly #publication: Publication;
  published = false;

  constructor(parts: PublishParts, publication: Publication) {
    this.#parts = parts;
    this.#publication = publication;
  }

  offer(origin: Origin, offer: Offer): OfferResult {
    const result = this.#parts.intake.offer(origin, offer);
    const noRoute = typeof result === "object" && result.reason === "no_route";
    if (result === "accepted" || noRoute) {
      const { flags } = offer;
      send(this.#parts.messages, offer, this.#publication);
      offer.flags = flags;
      this.published = true;
    }
    return result;
  }

  deny(origin: Origin, offer: Offer, rejection: Rejection): void {
    this.#parts.intake.deny(origin, offer, rejection);
  }

  flush(): boolean {
    const taken = this.#parts.intake.flush();
    return this.#parts.messages.flush() && taken;
  }

  forget(origin: Origin): void {
    this.#parts.intake.forget(origin);
  }
}

/**
 * What became of the reading: `settled`, or `no-route`.
 *
 * @throws {Problem} when it was not taken, or is not known to be durable.
 */
export async function publishTopic(
  parts: PublishParts,
  publication: Publication,
): Promise<"settled" | "no-route"> {
  const { clock, settleMs, sender, stalled } = parts;
  const { topic, payload, nameHash } = publication;
  const intake = new MessageIntake(parts, publication);
  const submission = new Submission(intake, {
    clock,
    creditMs: 0,
    settleMs,
    nameHash,
    sender,
    stalled,
  });
  const item = { topic, bytes: payload, start: 0, end: payload.length };
  const result = await submission.submit([item]);
  const { rejected: [rejected], taken, limitedMs, settled } = result;
  if (taken === 0) {
    if (limitedMs > 0) throw rateLimited(limitedMs);
    throw new Problem("backpressure", "it was not taken", {}, { "retry-after": "1" });
  }
  if (!settled) throw notSettled("it is not known whether the reading is durable");
  if (rejected === undefined) return "settled";
  if (rejected.reason === "no_route") return "no-route";
  const { outcome, reason, detail = reason } = rejected;
  const { published } = intake;
  throw new Problem(problemOf(reason), detail, { outcome, reason, published });
}

/** @throws {Problem} when it is to be retained, and is one more than its account may have. */
export function checkRetained(
  messages: Pick<PubSub, "mayRetain">,
  { topic, retain, account }: Pick<Publication, "topic" | "retain" | "account">,
): void {
  if (!retain || messages.mayRetain(topic, account)) return;
  throw new Problem(
    "quota-exceeded",
    "the account has as many retained messages as it may have; clear some, or POST, which retains none",
  );
}

const notSettled = (detail: string): Problem =>
  new Problem("not-settled", `${detail}; send the same request again`, {}, { "retry-after": "1" });

/**
 * The message alone: no reading is made of it.
 *
 * @throws {Problem} when it could not be kept for those who are away.
 */
export function publishMessage(messages: TopicMessages, publication: Publication): void {
  const topic = new TextEncoder().encode(publication.topic);
  const bytes = new Uint8Array(topic.length + publication.payload.length);
  bytes.set(topic);
  bytes.set(publication.payload, topic.length);
  const at = { topicEnd: topic.length, payloadStart: topic.length, payloadEnd: bytes.length };
  send(messages, { ...blankOffer(), ...at, bytes }, publication);
  if (!messages.flush()) throw notSettled("it could not be kept for subscribers who are away");
}

function send(
  messages: TopicMessages,
  offer: Offer,
  { qos, retain, properties, account }: Publication,
): void {
  offer.flags = qos | (retain ? offerFlags.retain : 0);
  messages.publish(offer, properties, undefined, account);
}

function problemOf(reason: string): ProblemType {
  if (reason === "identity_mismatch") return "conflict";
  if (reason.includes("topic")) return "invalid-topic";
  return reason === "payload_too_large" ? "body-too-large" : "rejected-reading";
}
