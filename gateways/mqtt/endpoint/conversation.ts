/**
 * What the packets of one connection mean: from CONNECT to DISCONNECT. When to read and how to end
 * is the session's business.
 *
 * @module
 */
import type { Origin } from "../../../actors/intake.ts";
import type { AcknowledgementKind } from "../codec/acknowledgement.ts";
import type { Connect, Will } from "../codec/connect.ts";
import type { ControlPacket } from "../codec/packet.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { writePing } from "../codec/ping.ts";
import { violation } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { reasonCodes, reasonName } from "../codec/reason_code.ts";
import type { PacketHandler } from "../codec/scanner.ts";
import type { Subscribe } from "../codec/subscribe.ts";
import type { Suback } from "../codec/suback.ts";
import { type ClientLimits, clientLimits, unlimited } from "../pubsub/client_limits.ts";
import type { Outbound } from "../pubsub/outbound.ts";
import type { KeptAttachment, KeptHost } from "../kept/kept_attachment.ts";
import type { ClaimResult } from "../kept/kept_connections.ts";
import type { WillTime } from "../kept/kept_lives.ts";
import { encodeWill } from "../kept/will_record.ts";
import type { Arrival } from "./arrival.ts";
import { sessionExpiryS } from "./connect_rules.ts";
import {
  type EndpointServices,
  originHashOf,
  type SessionInfo,
  sessionKey,
} from "./endpoint_options.ts";
import { type Handshake, shakeHands } from "./handshake.ts";
import { Inbound } from "./inbound.ts";
import type { OfferScratch } from "./inbound_offers.ts";
import type { Output } from "./output.ts";
import { type Reply, writeReply } from "./reply.ts";
import type { Ending } from "./session_end.ts";
import { subscriptionRefusal, subscriptionReply } from "./subscriptions.ts";

/** Why a packet is left where it is. */
export type PacketHold = "handshake" | "intake" | "window";

/** The session a conversation belongs to. */
export interface ConversationHost extends Origin {
  readonly arrival: Arrival;
  originHash: number;
  /** The packet in hand was not taken. */
  held(hold: PacketHold): void;
  /** The handshake is through: now, or by a promise that never rejects. */
  shaking(handshake: Handshake | Promise<Handshake>): void;
  end(ending: Ending): void;
  /** The file of kept sessions has its session: that is its place among its account's. */
  placedInFile(): void;
  /** Its session is not kept, or not any more: its place is its connection's. */
  placedHere(): void;
  /** Another connection has its session, or the session is over. */
  takenOver(): void;
  /** Whether another one has it cannot be told. */
  notReadable(): void;
}

/** See the module. A packet that may not come throws a `ProtocolError`. */
export class Conversation implements PacketHandler, KeptHost {
  /** The client's, once CONNECT was read. */
  version: ProtocolVersion | undefined;
  /** The client, once it is connected. */
  info: SessionInfo | undefined;
  /** There once the client has published. */
  inbound: Inbound | undefined;
  will: Will | undefined;
  /** There once the client has subscribed. */
  outbound: Outbound | undefined;
  readonly #host: ConversationHost;
  readonly #services: EndpointServices;
  readonly #output: Output;
  readonly #scratch: OfferScratch;
  #client: ClientLimits = unlimited;
  #open = false;
  #closed = false;
  #clean = true;
  /** Whether the client asked for a session that is kept, and how long it is, in s. */
  #expiryAsked = false;
  #expiryS = 0;
  #attachment: KeptAttachment | undefined;
  /** The kept session it was connected to. */
  #left: number | undefined;

  constructor(
    host: ConversationHost,
    services: EndpointServices,
    output: Output,
    scratch: OfferScratch,
  ) {
    this.#host = host;
    this.#services = services;
    this.#output = output;
    this.#scratch = scratch;
  }

  /** It takes no more packets. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Gets the session that outlives the connection, or ends the one there was; `undefined`: there is
   * none. The promise never rejects.
   */
  claim(info: SessionInfo): Promise<ClaimResult> | undefined {
    const { kept } = this.#services.messages;
    if (kept === undefined) return undefined;
    const key = sessionKey(info);
    const clean = this.#clean;
    const expiryS = this.#expiryS;
    if (expiryS === 0 && (clean || !kept.has(key))) {
      this.#host.placedHere(); // Before it gives up the one in the file.
      return kept.has(key) ? kept.discard(key) : undefined;
    }
    const will = this.will && encodeWill(this.will);
    const willDelayS = this.#willDelayS;
    const request = { key, account: info.account, clean, expiryS, will, willDelayS };
    return kept.claim(request, this, info.permit).then((result) => {
      if (result.kind !== "attached") return result;
      if (this.#closed) kept.detach(result.attachment, { expiryS, will: "none" });
      else this.#attachment = result.attachment;
      return result;
    });
  }

  /** Takes no more packets. Gives when the will is to be sent. */
  close(sendWill: boolean): WillTime {
    this.#stop();
    const attachment = this.#attachment;
    if (attachment === undefined) return sendWill ? "now" : "none";
    this.#attachment = undefined;
    this.#left = attachment.session.id;
    const expiryS = this.#expiryS;
    const later = expiryS > 0 && this.#willDelayS > 0;
    const will = sendWill ? later ? "later" : "now" : "none";
    this.#services.messages.kept?.detach(attachment, { expiryS, will });
    return will;
  }

  /** The will that was to be sent now was sent. */
  willSent(): void {
    if (this.#left !== undefined) this.#services.messages.kept?.willSent(this.#left);
  }

  /** From the kept session. */
  placed(): void {
    this.#host.placedInFile();
  }

  /** From the kept session. */
  evicted(resumed: boolean): void {
    this.#attachment = undefined;
    this.#stop();
    // Who comes back in time cancels a will that is to wait [MQTT-3.1.3-9].
    if (resumed && this.#willDelayS > 0) this.will = undefined;
    this.#host.takenOver();
  }

  /** From the kept session. */
  unreadable(): void {
    this.#stop();
    this.#host.notReadable();
  }

  /** Sends what waited for the client. */
  resume(): void {
    this.outbound?.pump();
  }

  /** False when the client takes no packet of that size: then nothing is sent. */
  write(reply: Reply, reason?: string): boolean {
    const { writer } = this.#output;
    const written = writeReply(writer, reply, this.version ?? 4, this.#client, reason);
    if (written) this.#services.stats.packetsSent++;
    return written;
  }

  /** Connected: packets are taken from now on. */
  begin(info: SessionInfo): void {
    this.#host.originHash = originHashOf(sessionKey(info));
    this.info = info;
    this.#open = true;
    if (this.#attachment === undefined) return;
    this.#openInbound(info); // What an earlier connection published may be open.
    this.#openOutbound(info);
  }

  // --- As a handler of packets: false leaves the packet where it is.

  publish(view: PublishView): boolean {
    if (!this.#open || this.info === undefined) return this.#notNow();
    const taken = (this.inbound ?? this.#openInbound(this.info)).publish(view);
    if (taken === "taken") return true;
    this.#host.held(taken);
    return false;
  }

  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): boolean {
    if (!this.#open || this.info === undefined) return this.#notNow();
    if (kind === "pubrel") {
      (this.inbound ?? this.#openInbound(this.info)).released(packetId);
    } else if (this.outbound !== undefined) {
      this.outbound.acknowledged(kind, packetId, reasonCode);
    } else {
      throw violation(`${kind} for nothing that was sent`, "MQTT-4.13.1-1");
    }
    return true;
  }

  packet(packet: ControlPacket): boolean {
    if (packet.kind === "connect") return this.#connect(packet);
    if (!this.#open || this.info === undefined) return this.#notNow();
    switch (packet.kind) {
      case "pingreq":
        this.#services.stats.packetsSent++;
        writePing(this.#output.writer, "pingresp");
        return true;
      case "subscribe":
        this.#subscribe(packet, this.info);
        return true;
      case "unsubscribe": {
        const codes = this.outbound === undefined
          ? packet.filters.map(() => reasonCodes.noSubscriptionExisted)
          : this.#services.messages.unsubscribe(this.outbound, packet);
        this.#reply("unsuback", packet.packetId, codes);
        return true;
      }
      case "disconnect":
        // Only a normal DISCONNECT takes the will back [MQTT-3.14.4-3].
        if (packet.reasonCode === reasonCodes.success) this.will = undefined;
        this.#changeExpiry(packet.properties.sessionExpiryIntervalS);
        this.#host.end({ end: "disconnected", detail: reasonName(packet.reasonCode) });
        return true;
      default:
        throw violation(`${packet.kind} from a client`, "MQTT-4.13.1-1");
    }
  }

  #subscribe(packet: Subscribe, info: SessionInfo): void {
    const { messages } = this.#services;
    const outbound = this.outbound ?? this.#openOutbound(info);
    const answer = messages.subscribe(outbound, packet, info.permit);
    if (!(answer instanceof Promise)) return this.#subscribed(packet.packetId, answer);
    answer.then((codes) => {
      if (!this.#open) return;
      this.#subscribed(packet.packetId, codes);
      this.#output.flush();
    });
  }

  #openInbound(info: SessionInfo): Inbound {
    const inbound = new Inbound(
      this.#host,
      this.#services,
      this.#scratch,
      info,
      this.#output,
      this.#client,
      this.#attachment,
    );
    inbound.subscriber = this.outbound;
    return this.inbound = inbound;
  }

  #openOutbound(info: SessionInfo): Outbound {
    const { messages, quotas } = this.#services;
    const outbound = messages.open({
      version: info.version,
      sink: this.#output,
      client: this.#client,
      kept: this.#attachment,
      quota: quotas?.subscriptionsOf(info),
    });
    if (this.inbound !== undefined) this.inbound.subscriber = outbound;
    return this.outbound = outbound;
  }

  #subscribed(packetId: number, codes: readonly number[]): void {
    this.#reply("suback", packetId, codes);
    this.outbound?.pump();
  }

  #reply(kind: Suback["kind"], packetId: number, codes: readonly number[]): void {
    const reply = subscriptionReply(kind, packetId, codes, this.version ?? 4);
    this.write(reply, subscriptionRefusal(codes));
  }

  #connect(connect: Connect): true {
    this.version = connect.version;
    this.#client = clientLimits(connect.properties);
    this.will = connect.will;
    this.#clean = connect.clean;
    this.#expiryAsked = (connect.properties.sessionExpiryIntervalS ?? 0) > 0;
    this.#expiryS = sessionExpiryS(connect, this.#services.limits);
    this.#host.shaking(shakeHands(connect, this.#host.arrival, this.#services));
    return true;
  }

  get #willDelayS(): number {
    return this.will?.properties.willDelayIntervalS ?? 0;
  }

  /** DISCONNECT may say anew how long the session is kept, but not keep one that was not to be. */
  #changeExpiry(expiryS: number | undefined): void {
    if (expiryS === undefined) return;
    if (expiryS > 0 && !this.#expiryAsked) {
      throw violation("a session expiry at DISCONNECT, which was 0 at CONNECT", "MQTT-3.1.2-23");
    }
    this.#expiryS = Math.min(expiryS, this.#services.limits.sessionExpiryMaxS);
  }

  #stop(): void {
    this.#open = false;
    this.#closed = true;
    if (this.outbound !== undefined) this.#services.messages.forget(this.outbound);
  }

  #notNow(): false {
    this.#host.held("handshake");
    return false;
  }
}
