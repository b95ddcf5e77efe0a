/**
 * The publishing half of a session: hands PUBLISH packets to the intake and writes their
 * acknowledgements when they are settled, in the order the packets came.
 *
 * @module
 */
import type { Intake, Offer, Origin, Rejection } from "../../../actors/intake.ts";
import { unawaited } from "../../../actors/intake.ts";
import { writeAcknowledged, writeAcknowledgement } from "../codec/acknowledgement.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { noProperties } from "../codec/properties.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { KeptAttachment } from "../kept/kept_attachment.ts";
import type { Received } from "../kept/kept_queues.ts";
import type { ClientLimits } from "../pubsub/client_limits.ts";
import type { Marked } from "../pubsub/shared_out.ts";
import { offerTopic } from "../pubsub/offer_topic.ts";
import type { Outbound } from "../pubsub/outbound.ts";
import type { EndpointServices, SessionInfo, SessionPermit } from "./endpoint_options.ts";
import type { EndpointStats } from "./endpoint_stats.ts";
import { type Acknowledger, InFlight } from "./in_flight.ts";
import { InboundOffers, type OfferScratch } from "./inbound_offers.ts";
import type { Output } from "./output.ts";
import { PacketIdSet } from "./packet_id_set.ts";
import { rejectionCode } from "./rejection_code.ts";
import { writeReply } from "./reply.ts";
import type { MessageExchange } from "./subscriptions.ts";

/** `intake`: no credit. `window`: as much in flight as may be. In both cases not taken. */
export type Taken = "taken" | "intake" | "window";

const notAuthorized: Rejection = {
  outcome: "refused",
  reason: "not_authorized",
  detail: "the account may not publish to this topic",
};

const tooManyOpen: Rejection = {
  outcome: "refused",
  reason: "qos2_quota",
  detail: "too many QoS 2 messages whose PUBREL has not come",
};

const retainedQuota: Rejection = {
  outcome: "refused",
  reason: "retained_quota",
  detail: "the account has as many retained messages as it may have; clear some, or do not retain",
};

/** See the module. */
export class Inbound implements Acknowledger {
  /** The same session, when it subscribes too. */
  subscriber: Outbound | undefined;
  readonly #origin: Origin;
  readonly #intake: Intake;
  readonly #messages: MessageExchange;
  readonly #offers: InboundOffers;
  readonly #version: ProtocolVersion;
  readonly #output: Output;
  readonly #client: ClientLimits;
  readonly #stats: EndpointStats;
  readonly #inFlight: InFlight;
  /** In words, why messages in flight were rejected, by sequence: for clients that want to know. */
  #reasons: Map<number, string> | undefined;
  readonly #permit: SessionPermit | undefined;
  /** Whose messages are retained; empty: nobody's. */
  readonly #account: string;
  readonly #disconnectDenied: boolean;
  readonly #qos2Max: number;
  /** QoS 2 identifiers whose PUBREC is sent and whose PUBREL has not come. */
  readonly #unreleased = new PacketIdSet();
  readonly #kept: KeptAttachment | undefined;
  /**
   * QoS 2 identifiers of an earlier connection whose message is in the queues it is for, while it is
   * not known what became of its reading.
   */
  #unsettled: Map<number, Received> | undefined;

  constructor(
    origin: Origin,
    { intake, messages, limits, deniedPublish, stats }: EndpointServices,
    scratch: OfferScratch,
    { version, account, permit }: Pick<SessionInfo, "version" | "account" | "permit">,
    output: Output,
    client: ClientLimits,
    kept?: KeptAttachment,
  ) {
    this.#origin = origin;
    this.#intake = intake;
    this.#messages = messages;
    this.#offers = new InboundOffers(scratch);
    this.#version = version;
    this.#output = output;
    this.#client = client;
    this.#stats = stats;
    this.#inFlight = new InFlight(limits.receiveMaximum);
    this.#qos2Max = limits.qos2Max;
    this.#permit = permit;
    this.#account = account;
    this.#kept = kept;
    for (const [packetId, received] of kept?.received ?? []) {
      if (received.settled) this.#unreleased.add(packetId);
      else (this.#unsettled ??= new Map()).set(packetId, received);
    }
    this.#disconnectDenied = version !== 5 && deniedPublish === "disconnect";
  }

  /** Messages whose acknowledgement is not written. */
  get inFlight(): number {
    return this.#inFlight.count;
  }

  publish(view: PublishView): Taken {
    const { qos, packetId } = view;
    const again = qos === 2 && this.#isOpen(view);
    if (qos > 0 && this.#windowFull(again)) return "window";
    const offer = this.#offers.of(view);
    if (again) {
      // Sent again before its PUBREL: acknowledged again, taken once [MQTT-4.3.3-10].
      this.#inFlight.settle(this.#inFlight.push(packetId, qos), reasonCodes.success);
      return "taken";
    }
    if (qos === 2 && this.#unreleased.size >= this.#qos2Max) {
      return this.#refuseOpen(offer, packetId);
    }
    const sequence = qos === 0 ? unawaited : this.#inFlight.push(packetId, qos);
    offer.sequence = sequence;
    if (this.#permit?.publish(offer.bytes, offer.topicStart, offer.topicEnd) === false) {
      this.#deny(offer);
      return "taken";
    }
    // Who cannot be told has it delivered, and it is not kept.
    if (view.retain && qos > 0 && this.#version === 5 && !this.#mayRetain(offer, view)) {
      this.#intake.deny(this.#origin, offer, retainedQuota);
      this.settled(sequence, retainedQuota);
      return "taken";
    }
    const result = this.#intake.offer(this.#origin, offer);
    if (result === "full") {
      if (qos > 0) this.#inFlight.unpush();
      return "intake";
    }
    this.#stats.publishesReceived++;
    if (result === "accepted") this.#deliver(offer, view);
    else this.settled(sequence, this.#unlessHeard(result, offer, view));
    return "taken";
  }

  #mayRetain(offer: Offer, { qos, packetId, payloadStart, payloadEnd }: PublishView): boolean {
    if (this.#account === "" || payloadStart === payloadEnd) return true;
    if (qos === 2 && this.#unsettled?.has(packetId)) return true; // It is kept already.
    return this.#messages.mayRetain(offerTopic(offer), this.#account);
  }

  /** A topic that no route takes may still have subscribers: then it was not in vain. */
  #unlessHeard(
    refused: Rejection,
    offer: Offer,
    view: PublishView,
  ): Rejection | undefined {
    if (refused.reason !== "no_route") return refused;
    return this.#deliver(offer, view) ? undefined : refused;
  }

  /** To subscribers: of a kept session's client once, however often it sends. */
  #deliver(offer: Offer, { qos, packetId, properties }: PublishView): boolean {
    let marked: Marked | undefined;
    const kept = this.#kept;
    if (qos === 2 && kept !== undefined) {
      const before = this.#unsettled?.get(packetId);
      if (before !== undefined && before.mark === undefined) return true; // All shards have it.
      marked = {
        mark: before?.mark ?? kept.published(packetId),
        again: before?.shares,
        sharedOnly: before?.sharedOnly === true,
        chose: (shares) => kept.shared(packetId, shares),
      };
    }
    const { subscriber } = this;
    const heard = this.#messages.publish(offer, properties, subscriber, this.#account, marked);
    return heard || marked?.again !== undefined;
  }

  /** Its identifier cannot be remembered; MQTT 3 has no word for it. */
  #refuseOpen(offer: Offer, packetId: number): "taken" {
    this.#intake.deny(this.#origin, offer, tooManyOpen);
    if (this.#version !== 5) {
      const { reason, detail = reason } = tooManyOpen;
      throw new ProtocolError(reasonCodes.quotaExceeded, detail, "MQTT-4.8.0-1");
    }
    this.settled(this.#inFlight.push(packetId, 2), tooManyOpen);
    return "taken";
  }

  #deny(offer: Offer): void {
    this.#intake.deny(this.#origin, offer, notAuthorized);
    if (this.#disconnectDenied) {
      const { reason, detail = reason } = notAuthorized;
      throw new ProtocolError(reasonCodes.notAuthorized, detail, "MQTT-3.3.5-2");
    }
    this.settled(offer.sequence, notAuthorized);
  }

  /** PUBREL: answered with PUBCOMP at once, for nothing waits for it. */
  released(packetId: number): void {
    const known = this.#unreleased.delete(packetId) ||
      this.#unsettled?.delete(packetId) === true;
    if (known) this.#kept?.released(packetId);
    const reasonCode = known ? reasonCodes.success : reasonCodes.packetIdentifierNotFound;
    this.#stats.packetsSent++;
    writeAcknowledgement(
      this.#output.writer,
      { kind: "pubcomp", packetId, reasonCode, properties: noProperties },
      this.#version,
    );
  }

  settled(sequence: number, rejection: Rejection | undefined): void {
    if (sequence === unawaited) return;
    this.#inFlight.settle(sequence, rejection === undefined ? 0 : rejectionCode(rejection));
    if (rejection === undefined || this.#version !== 5 || !this.#client.reasonStrings) return;
    this.#reasons ??= new Map();
    this.#reasons.set(sequence, rejection.detail ?? rejection.reason);
  }

  /** Writes the acknowledgements that are due. */
  release(): void {
    this.#inFlight.release(this);
  }

  /** From {@linkcode InFlight}. */
  acknowledge(packetId: number, qos: 1 | 2, reasonCode: number, sequence: number): void {
    const kind = qos === 1 ? "puback" : "pubrec";
    this.#stats.packetsSent++;
    if (qos === 2) {
      this.#unsettled?.delete(packetId);
      if (reasonCode < 0x80 || this.#version !== 5) {
        this.#unreleased.add(packetId);
        this.#kept?.settled(packetId);
      } else {
        this.#kept?.released(packetId);
      }
    }
    const { writer } = this.#output;
    if (reasonCode === 0) return writeAcknowledged(writer, kind, packetId);
    const packet = { kind, packetId, reasonCode, properties: noProperties } as const;
    writeReply(writer, packet, this.#version, this.#client, this.#reasons?.get(sequence));
    this.#reasons?.delete(sequence);
  }

  /** Whether it is sent again before its PUBREL: only DUP makes it worth a look at what is in flight. */
  #isOpen({ packetId, dup }: PublishView): boolean {
    return this.#unreleased.has(packetId) || (dup && this.#inFlight.holdsQos2(packetId));
  }

  /** Gives back memory that a quiet connection does not need. */
  rest(): void {
    this.#inFlight.rest();
    this.#unreleased.rest();
  }

  /**
   * MQTT 5 counts a QoS 2 message until its PUBCOMP, and knows the limit. An older client does not:
   * its PUBRELs may stand behind what is held back here, so they cannot be waited for. What is sent
   * `again` was counted before.
   */
  #windowFull(again: boolean): boolean {
    const { count, countMax } = this.#inFlight;
    if (again || this.#version !== 5) {
      // What was refused at once is settled, and no settlement would come to make room for more.
      if (count >= countMax) this.release();
      return this.#inFlight.count >= countMax;
    }
    if (count + this.#unreleased.size < countMax) return false;
    throw new ProtocolError(
      reasonCodes.receiveMaximumExceeded,
      `more than ${countMax} messages in flight`,
      "MQTT-3.3.4-9",
    );
  }
}
