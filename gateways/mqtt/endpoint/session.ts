/**
 * One connection of a device: when it is read from, what is written to it, and how it ends. It is
 * the origin of the readings it carries, and an actor, so that a fault in here costs this
 * connection and no other.
 *
 * It reads only while it can take what it reads: without credit, with as much in flight as may be,
 * or while the other end does not take its acknowledgements, the bytes stay in the socket.
 *
 * @module
 */
import type { Rejection } from "../../../actors/intake.ts";
import type { Actor, Context, StopReason } from "../../../runtime/actor.ts";
import type { Failure } from "../../../runtime/failure.ts";
import { noProperties } from "../codec/properties.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import { PacketScanner } from "../codec/scanner.ts";
import { refusal } from "./connect_rules.ts";
import { Conversation, type ConversationHost, type PacketHold } from "./conversation.ts";
import { type SessionInfo, sessionKey } from "./endpoint_options.ts";
import { type Handshake, refuse } from "./handshake.ts";
import { type Connection, Link, type LinkEvents } from "./link.ts";
import { type Ending, endings, sessionEnds } from "./session_end.ts";
import type { RegisteredSession } from "./session_registry.ts";
import type { SessionMessage, SessionShared } from "./session_shared.ts";

type Phase = "connecting" | "connected" | "draining" | "ended";
/** Why nothing is read just now. */
type Hold = "none" | PacketHold | "output" | "memory";

/** CONNECT may be this large: credentials, and a will. */
const connectBytesMax = 64 * 1024;
/** Acknowledgements that the other end does not take before it is no longer read from. */
const outputBytesMax = 64 * 1024;
/** All of those together, as a share of what the read buffers may hold. */
const outputShare = 0.25;
/** A read that waited this long came to a quiet connection. */
const quietMs = 5_000;

const resumeMessage: SessionMessage = { kind: "resume" };

/** See the module. */
export class Session
  implements Actor<SessionMessage>, ConversationHost, LinkEvents, RegisteredSession {
  readonly transport = "mqtt";
  originHash = 0;
  readonly peer: string;
  readonly #shared: SessionShared<Session>;
  readonly #context: Context<SessionMessage>;
  readonly #link: Link;
  readonly #conversation: Conversation;
  readonly #scanner: PacketScanner;
  #phase: Phase = "connecting";
  #hold: Hold = "none";
  #resumeAsked = false;
  /** When the phase began; while connected, when bytes came last. Monotonic, ms. */
  #sinceMs: number;
  #silenceMsMax = Infinity;

  constructor(
    connection: Connection,
    peer: string,
    shared: SessionShared<Session>,
    context: Context<SessionMessage>,
  ) {
    const { services } = shared;
    this.peer = peer;
    this.#shared = shared;
    this.#context = context;
    this.#sinceMs = context.clock.monotonic();
    this.#link = new Link(connection, shared, this);
    this.#conversation = new Conversation(this, services, this.#link.output);
    this.#scanner = new PacketScanner("server", this.#conversation, {
      packetBytesMax: Math.min(connectBytesMax, services.limits.packetBytesMax),
    });
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
        this.#shaken(message.handshake);
        return this.#advance();
      case "resume":
        this.#resumeAsked = false;
        return this.#advance();
      case "drain":
        return this.#drain();
      case "end":
        return this.end(message.ending);
      default:
        return message satisfies never;
    }
  }

  stopped(_reason: StopReason, _context: Context<SessionMessage>, failure?: Failure): void {
    if (failure === undefined) this.#over(endings.drained);
    else this.#over({ end: "crashed", detail: failure.message });
  }

  // --- As an origin. Called in the turns of others, so what is more than bookkeeping is told.

  settled(sequence: number, rejection: Rejection | undefined): void {
    this.#conversation.inbound?.settled(sequence, rejection);
  }

  settledEnd(): void {
    if (this.#phase === "ended") return;
    this.#conversation.inbound?.release();
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
    const { outbound } = this.#conversation;
    if (outbound !== undefined) {
      outbound.pump();
      this.#link.output.flush();
    }
    if (this.#hold === "output") this.#askResume();
  }

  failed(error: unknown): void {
    this.#endLater({ end: "connection_lost", detail: String(error) });
  }

  // --- As the host of a conversation, in its own turn.

  held(hold: PacketHold): void {
    this.#hold = hold;
  }

  shaking(handshake: Handshake | Promise<Handshake>): void {
    if (!(handshake instanceof Promise)) return this.#shaken(handshake);
    const { self } = this.#context;
    handshake.then((handshake) => self.tell({ kind: "shaken", handshake }));
  }

  end(ending: Ending): void {
    this.#over(ending);
    this.#context.stop(this.#context.self);
  }

  // --- As the registry and the listener see it.

  takeOver(): void {
    this.#endLater(endings.takenOver);
  }

  /** The account that is connected here may have changed. */
  accountChanged(): void {
    const { info } = this.#conversation;
    if (info !== undefined && !this.#isCurrent(info)) this.#endLater(endings.accountChanged);
  }

  drain(): void {
    this.#context.self.tell({ kind: "drain" });
  }

  /** Ends what is overdue. Called about once a second, which spares each session its timers. */
  sweep(nowMs: number): void {
    const { limits } = this.#shared.services;
    const forMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case "connecting":
        if (forMs > limits.connectTimeoutMs) this.#endLater(endings.connectTimeout);
        else if (this.#hold === "memory") this.#askResume();
        return;
      case "connected":
        if (this.#hold === "memory") this.#askResume();
        if (this.#context.clock.now() >= (this.#conversation.info?.expiresMs ?? Infinity)) {
          this.#endLater(endings.tokenExpired);
        } else if (this.#link.output.stalledMs(nowMs) > limits.writeStallMs) {
          this.#endLater(endings.writeStalled);
        } else if (this.#hold === "none" && forMs > this.#silenceMsMax) {
          this.#endLater(endings.keepAliveTimeout);
        }
        return;
      case "draining":
        if (forMs > limits.drainMs) this.#endLater(endings.drainTimeout);
        return;
      case "ended":
        return;
      default:
        return this.#phase satisfies never;
    }
  }

  // --- Reading.

  #received(count: number | null): void {
    if (count === null) return this.end(endings.closed);
    const nowMs = this.#context.clock.monotonic();
    const quiet = nowMs - this.#sinceMs > quietMs;
    this.#link.input.filled(count, quiet);
    if (quiet) this.#conversation.inbound?.rest();
    if (this.#phase === "connected") this.#sinceMs = nowMs;
    this.#advance();
  }

  /** Takes as many packets as can be taken, then reads on unless something holds it back. */
  #advance(): void {
    if (this.#phase === "draining") return this.#endWhenDrained();
    const { output } = this.#link;
    // While a read is under way, everything that was read before it has been taken.
    if (!this.#link.reading) this.#take();
    if (this.#ended()) return;
    output.flush();
    if (this.#link.reading) return;
    if (this.#hold === "none" && this.#mustBeTaken(output.waitingBytes)) this.#hold = "output";
    if (this.#hold === "none") this.#read();
    else this.#shared.services.stats.pauses++;
  }

  /** What waits for the other end is too much, or all of what waits for all of them is. */
  #mustBeTaken(waitingBytes: number): boolean {
    if (waitingBytes === 0) return false;
    const { writers, services } = this.#shared;
    return waitingBytes > outputBytesMax ||
      writers.waitingBytes > services.limits.readBytesMax * outputShare;
  }

  #take(): void {
    const { input } = this.#link;
    if (this.#hold !== "none") this.#sinceMs = this.#context.clock.monotonic();
    this.#hold = "none";
    let broken: ProtocolError | undefined;
    try {
      input.start = this.#scanner.scan(input.bytes, input.start, input.end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      broken = error;
    }
    if (this.#conversation.inbound !== undefined) {
      const { intake, messages } = this.#shared.services;
      intake.flush();
      messages.flush();
      if (!this.#ended()) this.#conversation.inbound.release();
    }
    if (broken !== undefined) this.#violated(broken);
  }

  #read(): void {
    if (this.#link.read(this.#scanner.missingBytes)) return;
    this.#hold = "memory";
    this.#shared.services.stats.pauses++;
  }

  #askResume(): void {
    if (this.#resumeAsked) return;
    this.#resumeAsked = true;
    this.#context.self.tell(resumeMessage);
  }

  #shaken(shaken: Handshake): void {
    const { services, registry, scratch } = this.#shared;
    const { version = 4 } = this.#conversation;
    // While it was being asked, the account may have changed.
    const handshake = shaken.kind === "refused" || this.#isCurrent(shaken.session)
      ? shaken
      : refuse({ version }, reasonCodes.notAuthorized, "the account has changed");
    this.#conversation.write(handshake.connack);
    if (handshake.kind === "refused") {
      return this.end({ end: "refused", detail: handshake.detail });
    }
    this.#conversation.begin(handshake.session, scratch);
    this.#scanner.packetBytesMax = services.limits.packetBytesMax;
    this.#silenceMsMax = handshake.silenceMsMax;
    this.#phase = "connected";
    this.#sinceMs = this.#context.clock.monotonic();
    services.stats.sessions++;
    registry.connect(sessionKey(handshake.session), this);
    services.events.connected?.(handshake.session);
  }

  // --- Ending.

  #violated({ reasonCode, message }: ProtocolError): void {
    const { version } = this.#conversation;
    if (version === undefined && reasonCode === reasonCodes.unsupportedProtocolVersion) {
      // In the form that every version can read [MQTT-3.1.2-2].
      this.#conversation.write(refusal(4, reasonCode));
    }
    this.end({ end: "protocol_error", reasonCode, detail: message });
  }

  #drain(): void {
    if (this.#phase !== "connected") return this.end(endings.drained);
    this.#phase = "draining";
    this.#sinceMs = this.#context.clock.monotonic();
    this.#endWhenDrained();
  }

  #endWhenDrained(): void {
    if (this.#conversation.inbound?.inFlight === 0) this.end(endings.drained);
  }

  #endLater(ending: Ending): void {
    this.#context.self.tell({ kind: "end", ending });
  }

  /** Everything that has to be done once, however the session ends. */
  #over(ending: Ending): void {
    if (this.#ended()) return;
    this.#phase = "ended";
    const { services, registry, wills } = this.#shared;
    const { info, will } = this.#conversation;
    this.#conversation.close();
    this.#farewell(ending);
    services.intake.forget(this);
    registry.delete(this, info && sessionKey(info));
    services.stats.ended(ending.end);
    if (info !== undefined) {
      services.stats.sessions--;
      if (will !== undefined && sessionEnds[ending.end].will) wills.publish(will, this.originHash);
    }
    services.events.ended?.(this.peer, info?.clientId, ending);
  }

  /** A client that can hear is told why, as far as its version can be, and gets what was sent. */
  #farewell({ end, reasonCode }: Ending): void {
    const { info } = this.#conversation;
    const { output } = this.#link;
    const hears = sessionEnds[end].hears && (info !== undefined || output.waitingBytes > 0);
    if (!hears) return this.#link.close();
    if (info?.version === 5 && reasonCode !== undefined) {
      this.#conversation.write({ kind: "disconnect", reasonCode, properties: noProperties });
    }
    this.#link.leave(this.#shared.services.limits.drainMs);
  }

  #isCurrent(info: SessionInfo): boolean {
    return this.#shared.services.isCurrent?.(info) ?? true;
  }

  #ended(): boolean {
    return this.#phase === "ended";
  }
}
