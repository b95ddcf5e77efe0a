/**
 * What the packets of one connection mean: from CONNECT to DISCONNECT. When to read and how to end
 * is the session's business.
 *
 * @module
 */
import { hashBytes } from "../../../actors/fingerprint.ts";
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
import type { Arrival } from "./arrival.ts";
import { type EndpointServices, type SessionInfo, sessionKey } from "./endpoint_options.ts";
import { type Handshake, shakeHands } from "./handshake.ts";
import { Inbound, type OfferScratch } from "./inbound.ts";
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
}

const utf8 = new TextEncoder();

/** See the module. A packet that may not come throws a `ProtocolError`. */
export class Conversation implements PacketHandler {
  /** The client's, once CONNECT was read. */
  version: ProtocolVersion | undefined;
  /** The client, once it is connected. */
  info: SessionInfo | undefined;
  inbound: Inbound | undefined;
  will: Will | undefined;
  /** There once the client has subscribed. */
  outbound: Outbound | undefined;
  readonly #host: ConversationHost;
  readonly #services: EndpointServices;
  readonly #output: Output;
  #client: ClientLimits = unlimited;
  #open = false;

  constructor(host: ConversationHost, services: EndpointServices, output: Output) {
    this.#host = host;
    this.#services = services;
    this.#output = output;
  }

  /** Takes no more packets. */
  close(): void {
    this.#open = false;
    if (this.outbound !== undefined) this.#services.messages.forget(this.outbound);
  }

  /** False when the client takes no packet of that size: then nothing is sent. */
  write(reply: Reply, reason?: string): boolean {
    return writeReply(this.#output.writer, reply, this.version ?? 4, this.#client, reason);
  }

  /** Connected: packets are taken from now on. */
  begin(info: SessionInfo, scratch: OfferScratch): void {
    const id = utf8.encode(sessionKey(info));
    this.#host.originHash = hashBytes(id, 0, id.length);
    this.inbound = new Inbound(
      this.#host,
      this.#services,
      scratch,
      info.version,
      this.#output,
      this.#client,
      info.permit,
    );
    this.info = info;
    this.#open = true;
  }

  // --- As a handler of packets: false leaves the packet where it is.

  publish(view: PublishView): boolean {
    if (!this.#open || this.inbound === undefined) return this.#notNow();
    const taken = this.inbound.publish(view);
    if (taken === "taken") return true;
    this.#host.held(taken);
    return false;
  }

  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): boolean {
    if (!this.#open || this.inbound === undefined) return this.#notNow();
    if (kind === "pubrel") {
      this.inbound.released(packetId);
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
        this.#host.end({ end: "disconnected", detail: reasonName(packet.reasonCode) });
        return true;
      default:
        throw violation(`${packet.kind} from a client`, "MQTT-4.13.1-1");
    }
  }

  #subscribe(packet: Subscribe, { version, permit }: SessionInfo): void {
    const { messages } = this.#services;
    let { outbound } = this;
    if (outbound === undefined) {
      const client = this.#client;
      outbound = this.outbound = messages.open({ version, sink: this.#output, client });
      if (this.inbound !== undefined) this.inbound.subscriber = outbound;
    }
    const answer = messages.subscribe(outbound, packet, permit);
    if (!(answer instanceof Promise)) return this.#subscribed(packet.packetId, answer);
    answer.then((codes) => {
      if (!this.#open) return;
      this.#subscribed(packet.packetId, codes);
      this.#output.flush();
    });
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
    this.#host.shaking(shakeHands(connect, this.#host.arrival, this.#services));
    return true;
  }

  #notNow(): false {
    this.#host.held("handshake");
    return false;
  }
}
