/**
 * One connection of a device: reads packets, answers them, and is the origin of the readings they
 * carry. An actor, so that a fault in here costs this connection and no other.
 *
 * It reads only while it can take what it reads: without credit, with as much in flight as may be,
 * or while the other end does not take its acknowledgements, the bytes stay in the socket.
 *
 * @module
 */
import { hashBytes } from "../../../actors/fingerprint.ts";
import type { Origin, Rejection } from "../../../actors/intake.ts";
import type { Actor, Context, StopReason } from "../../../runtime/actor.ts";
import type { Failure } from "../../../runtime/failure.ts";
import type { AcknowledgementKind } from "../codec/acknowledgement.ts";
import type { Connect, Will } from "../codec/connect.ts";
import { type ControlPacket, type Packet, writePacket } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import { ProtocolError, violation } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { reasonCodes, reasonName } from "../codec/reason_code.ts";
import { type PacketHandler, PacketScanner } from "../codec/scanner.ts";
import type { EndpointServices, SessionEnd, SessionInfo } from "./endpoint_options.ts";
import { type Handshake, shakeHands } from "./handshake.ts";
import { refusal } from "./connect_rules.ts";
import { Inbound, type OfferScratch, type Taken } from "./inbound.ts";
import { type Connection, Link, type LinkEvents, type LinkShared } from "./link.ts";
import type { SessionRegistry } from "./session_registry.ts";
import { subscriptionReply } from "./subscriptions.ts";
import type { Wills } from "./wills.ts";

/** What the sessions of one listener share. */
export interface SessionShared extends LinkShared {
  readonly services: EndpointServices;
  readonly registry: SessionRegistry<Session>;
  readonly scratch: OfferScratch;
  readonly wills: Wills;
  assignId(): string;
}

export type SessionMessage =
  /** `null`: the other end has closed. */
  | { readonly kind: "received"; readonly count: number | null }
  | { readonly kind: "shaken"; readonly handshake: Handshake }
  /** What held the session back may be over. */
  | { readonly kind: "resume" }
  /** Read no more, acknowledge what is in flight, then end. */
  | { readonly kind: "drain" }
  | { readonly kind: "end"; readonly ending: Ending };

/** `reasonCode` is told to an MQTT 5 client; without one the connection is closed at once. */
interface Ending {
  readonly end: SessionEnd;
  readonly reasonCode?: number;
  readonly detail?: string;
}

type Phase = "connecting" | "connected" | "draining" | "ended";
/** Why nothing is read just now. */
type Hold = "none" | "authentication" | "output" | "memory" | Exclude<Taken, "taken">;

/** CONNECT may be this large: credentials, and a will. */
const connectBytesMax = 64 * 1024;
/** Acknowledgements that the other end does not take before it is no longer read from. */
const outputBytesMax = 64 * 1024;
/** A read that waited this long came to a quiet connection. */
const quietMs = 5_000;

const resumeMessage: SessionMessage = { kind: "resume" };
const shuttingDown = { reasonCode: reasonCodes.serverShuttingDown };
/** Ends after which nothing more can be, or is worth being, sent. */
const goneAlready: ReadonlySet<SessionEnd> = new Set([
  "disconnected",
  "closed",
  "connection_lost",
  "connect_timeout",
  "write_stalled",
  "crashed",
]);
/** Ends that are not the client's or the network's failure. */
const withoutWill: ReadonlySet<SessionEnd> = new Set(["drained", "drain_timeout"]);
const utf8 = new TextEncoder();

/** See the module. */
export class Session implements Actor<SessionMessage>, Origin, PacketHandler, LinkEvents {
  readonly transport = "mqtt";
  originHash = 0;
  readonly peer: string;
  readonly #shared: SessionShared;
  readonly #context: Context<SessionMessage>;
  readonly #link: Link;
  readonly #scanner: PacketScanner;
  #phase: Phase = "connecting";
  #hold: Hold = "none";
  #resumeAsked = false;
  /** When the phase began; while connected, when bytes came last. Monotonic, ms. */
  #sinceMs: number;
  #silenceMsMax = Infinity;
  #connect: Connect | undefined;
  #info: SessionInfo | undefined;
  #inbound: Inbound | undefined;
  #will: Will | undefined;

  constructor(
    connection: Connection,
    peer: string,
    shared: SessionShared,
    context: Context<SessionMessage>,
  ) {
    this.peer = peer;
    this.#shared = shared;
    this.#context = context;
    this.#sinceMs = context.clock.monotonic();
    this.#link = new Link(connection, shared, this);
    const packetBytesMax = Math.min(connectBytesMax, shared.services.limits.packetBytesMax);
    this.#scanner = new PacketScanner("server", this, { packetBytesMax });
  }

  // --- As an actor.

  started(): void {
    this.#shared.registry.add(this);
    this.#read();
  }

  receive(message: SessionMessage): void {
    switch (message.kind) {
      case "received":
        return this.#received(message.count);
      case "shaken":
        if (this.#phase !== "connecting") return;
        this.#shaken(message.handshake);
        return this.#advance();
      case "resume":
        this.#resumeAsked = false;
        if (!this.#link.reading) this.#advance();
        return;
      case "drain":
        return this.#drain();
      case "end":
        return this.#end(message.ending);
      default:
        return message satisfies never;
    }
  }

  stopped(_reason: StopReason, _context: Context<SessionMessage>, failure?: Failure): void {
    if (failure !== undefined) this.#over({ end: "crashed", detail: failure.message });
    else this.#over({ end: "drained", ...shuttingDown });
  }

  // --- As an origin. Called in the turns of others, so what is more than bookkeeping is told.

  settled(sequence: number, rejection: Rejection | undefined): void {
    this.#inbound?.settled(sequence, rejection);
  }

  settledEnd(): void {
    if (this.#phase === "ended") return;
    this.#inbound?.acknowledge();
    this.#link.output.flush();
    if (this.#hold === "window" || this.#phase === "draining") this.#askResume();
  }

  resume(): void {
    if (this.#hold === "intake") this.#askResume();
  }

  // --- As the user of a link.

  received(count: number | null): void {
    this.#context.self.tell({ kind: "received", count });
  }

  drained(): void {
    if (this.#hold === "output") this.#askResume();
  }

  failed(error: unknown): void {
    this.#endLater({ end: "connection_lost", detail: String(error) });
  }

  // --- As a handler of packets: false leaves the packet where it is.

  publish(view: PublishView): boolean {
    const inbound = this.#inbound;
    if (this.#phase !== "connected" || inbound === undefined) return this.#notNow();
    const taken = inbound.publish(view);
    if (taken === "taken") return true;
    this.#hold = taken;
    return false;
  }

  acknowledged(kind: AcknowledgementKind, packetId: number): boolean {
    if (this.#phase !== "connected") return this.#notNow();
    if (kind !== "pubrel") throw violation(`${kind} for nothing that was sent`, "MQTT-4.13.1-1");
    this.#inbound?.released(packetId);
    return true;
  }

  packet(packet: ControlPacket): boolean {
    if (packet.kind === "connect") {
      this.#connecting(packet);
      return true;
    }
    if (this.#phase !== "connected" || this.#info === undefined) return this.#notNow();
    switch (packet.kind) {
      case "pingreq":
        this.#write({ kind: "pingresp" });
        return true;
      case "subscribe":
      case "unsubscribe":
        this.#write(subscriptionReply(this.#shared.services.subscriptions, this.#info, packet));
        return true;
      case "disconnect":
        // Only a normal DISCONNECT takes the will back [MQTT-3.14.4-3].
        if (packet.reasonCode === reasonCodes.success) this.#will = undefined;
        this.#end({ end: "disconnected", detail: reasonName(packet.reasonCode) });
        return true;
      default:
        throw violation(`${packet.kind} from a client`, "MQTT-4.13.1-1");
    }
  }

  // --- As the registry and the listener see it.

  /** Ends this session for one that came later under its client id [MQTT-3.1.4-3]. */
  takeOver(): void {
    this.#endLater({ end: "taken_over", reasonCode: reasonCodes.sessionTakenOver });
  }

  /** Ends this session once what is in flight is acknowledged. */
  drain(): void {
    this.#context.self.tell({ kind: "drain" });
  }

  /** Ends what is overdue. Called about once a second, which spares each session its timers. */
  sweep(nowMs: number): void {
    const { limits } = this.#shared.services;
    const forMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case "connecting":
        if (forMs > limits.connectTimeoutMs) this.#endLater({ end: "connect_timeout" });
        return;
      case "connected":
        if (this.#hold === "memory") this.#askResume();
        if (this.#link.output.stalledMs(nowMs) > limits.writeStallMs) {
          this.#endLater({ end: "write_stalled" });
        } else if (this.#hold === "none" && forMs > this.#silenceMsMax) {
          const reasonCode = reasonCodes.keepAliveTimeout;
          this.#endLater({ end: "keep_alive_timeout", reasonCode });
        }
        return;
      case "draining":
        if (forMs > limits.drainMs) this.#endLater({ end: "drain_timeout", ...shuttingDown });
        return;
      case "ended":
        return;
      default:
        return this.#phase satisfies never;
    }
  }

  // --- Reading.

  #received(count: number | null): void {
    if (count === null) return this.#end({ end: "closed" });
    const nowMs = this.#context.clock.monotonic();
    const quiet = nowMs - this.#sinceMs > quietMs;
    this.#link.input.filled(count, quiet);
    if (quiet) this.#inbound?.rest();
    if (this.#phase === "connected") this.#sinceMs = nowMs;
    this.#advance();
  }

  /** Takes as many packets as can be taken, then reads on unless something holds it back. */
  #advance(): void {
    if (this.#phase === "draining") return this.#endWhenDrained();
    const { input, output } = this.#link;
    if (this.#hold !== "none") this.#sinceMs = this.#context.clock.monotonic();
    this.#hold = "none";
    let broken: ProtocolError | undefined;
    try {
      input.start = this.#scanner.scan(input.bytes, input.start, input.end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      broken = error;
    }
    if (this.#inbound !== undefined) {
      this.#shared.services.intake.flush();
      this.#inbound.acknowledge();
    }
    if (broken !== undefined) return this.#violated(broken);
    if (this.#ended()) return;
    output.flush();
    if (this.#hold === "none" && output.waitingBytes > outputBytesMax) this.#hold = "output";
    if (this.#hold === "none") this.#read();
    else this.#shared.services.stats.pauses++;
  }

  #read(): void {
    if (this.#link.read(this.#scanner.missingBytes)) return;
    this.#hold = "memory";
    this.#shared.services.stats.pauses++;
  }

  #notNow(): false {
    this.#hold = "authentication";
    return false;
  }

  #askResume(): void {
    if (this.#resumeAsked) return;
    this.#resumeAsked = true;
    this.#context.self.tell(resumeMessage);
  }

  #write(packet: Packet): void {
    writePacket(this.#link.output.writer, packet, this.#connect?.version ?? 4);
  }

  // --- Connecting.

  #connecting(connect: Connect): void {
    this.#connect = connect;
    const { services, assignId } = this.#shared;
    const handshake = shakeHands(connect, this.peer, services, assignId);
    if (!(handshake instanceof Promise)) return this.#shaken(handshake);
    const { self } = this.#context;
    handshake.then((handshake) => self.tell({ kind: "shaken", handshake }));
  }

  #shaken(handshake: Handshake): void {
    this.#write(handshake.connack);
    if (handshake.kind === "refused") {
      return this.#end({ end: "refused", detail: handshake.detail });
    }
    const { services, scratch, registry } = this.#shared;
    const { clientId, version } = handshake.session;
    const id = utf8.encode(clientId);
    this.originHash = hashBytes(id, 0, id.length);
    this.#info = handshake.session;
    this.#will = this.#connect?.will;
    this.#inbound = new Inbound(this, services, scratch, version, this.#link.output);
    this.#scanner.packetBytesMax = services.limits.packetBytesMax;
    this.#silenceMsMax = handshake.silenceMsMax;
    this.#phase = "connected";
    this.#sinceMs = this.#context.clock.monotonic();
    services.stats.sessions++;
    registry.connect(clientId, this);
    services.events.connected?.(this.#info);
  }

  #violated(error: ProtocolError): void {
    const { reasonCode, message } = error;
    if (this.#connect === undefined && reasonCode === reasonCodes.unsupportedProtocolVersion) {
      this.#write(refusal(4, reasonCode));
      return this.#end({ end: "refused", detail: message });
    }
    this.#end({ end: "protocol_error", reasonCode, detail: message });
  }

  // --- Ending.

  #drain(): void {
    if (this.#phase !== "connected") return this.#end({ end: "drained", ...shuttingDown });
    this.#phase = "draining";
    this.#sinceMs = this.#context.clock.monotonic();
    this.#endWhenDrained();
  }

  #endWhenDrained(): void {
    if (this.#inbound === undefined || this.#inbound.inFlight > 0) return;
    this.#end({ end: "drained", ...shuttingDown });
  }

  #endLater(ending: Ending): void {
    this.#context.self.tell({ kind: "end", ending });
  }

  #end(ending: Ending): void {
    this.#over(ending);
    this.#context.stop(this.#context.self);
  }

  /** Everything that has to be done once, however the session ends. */
  #over({ end, reasonCode, detail }: Ending): void {
    if (this.#ended()) return;
    this.#phase = "ended";
    const { services, registry, wills } = this.#shared;
    const info = this.#info;
    if (info !== undefined) {
      services.stats.sessions--;
      if (this.#will !== undefined && !withoutWill.has(end)) {
        wills.publish(this.#will, this.originHash);
      }
    }
    if (goneAlready.has(end) || this.#link.output.waitingBytes === 0 && info === undefined) {
      this.#link.close();
    } else {
      if (info?.version === 5 && reasonCode !== undefined) {
        this.#write({ kind: "disconnect", reasonCode, properties: noProperties });
      }
      this.#link.leave(services.limits.drainMs);
    }
    services.intake.forget(this);
    registry.delete(this, info?.clientId);
    services.stats.ended(end);
    services.events.ended?.(this.peer, info?.clientId, end, detail);
  }

  #ended(): boolean {
    return this.#phase === "ended";
  }
}
