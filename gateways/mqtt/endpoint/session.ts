/**
 * One connection of a device: when it is read from, what is written to it, and how it ends. It is
 * the origin of the readings it carries, and an actor, so that a fault in here costs this
 * connection and no other. Reading is the business of its {@linkcode SessionInput}.
 *
 * @module
 */
import type { Rejection } from "../../../actors/intake.ts";
import type { Sender } from "../../../actors/rates/rates.ts";
import type { Actor, Context, StopReason } from "../../../runtime/actor.ts";
import type { Failure } from "../../../runtime/failure.ts";
import { noProperties } from "../codec/properties.ts";
import type { ProtocolError } from "../codec/protocol_error.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { Arrival } from "./arrival.ts";
import { refusal } from "./connect_rules.ts";
import { Conversation, type ConversationHost, type PacketHold } from "./conversation.ts";
import { type SessionInfo, sessionKey } from "./endpoint_options.ts";
import type { ClaimResult } from "../kept/kept_connections.ts";
import { type Accepted, type Handshake, refuse } from "./handshake.ts";
import { Link, type LinkEvents } from "./link.ts";
import { type Ending, endings, sessionEnds } from "./session_end.ts";
import { type InputHost, SessionInput } from "./session_input.ts";
import type { RegisteredSession } from "./session_registry.ts";
import type { SessionMessage, SessionShared } from "./session_shared.ts";

type Phase = "connecting" | "connected" | "draining" | "ended";

/** How a session ends that takes no more: with what is in flight acknowledged, or too late. */
interface Draining {
  readonly done: Ending;
  readonly late: Ending;
}

const shuttingDown: Draining = { done: endings.drained, late: endings.drainTimeout };
const resumeMessage: SessionMessage = { kind: "resume" };

/** See the module. */
export class Session
  implements Actor<SessionMessage>, ConversationHost, InputHost, LinkEvents, RegisteredSession {
  readonly transport = "mqtt";
  originHash = 0;
  sender: Sender | undefined;
  readonly arrival: Arrival;
  readonly #shared: SessionShared<Session>;
  readonly #context: Context<SessionMessage>;
  readonly #link: Link;
  readonly #conversation: Conversation;
  readonly #input: SessionInput;
  #phase: Phase = "connecting";
  #draining = shuttingDown;
  /** Among all that have connected, in whatever shard. */
  #order = 0;
  #silenceMsMax = Infinity;
  /** Whose quota it is in. */
  #entered: SessionInfo | undefined;
  /** Its place there is its connection's. */
  #placed = false;

  constructor(
    arrival: Arrival,
    shared: SessionShared<Session>,
    context: Context<SessionMessage>,
  ) {
    const { services } = shared;
    this.arrival = arrival;
    this.#shared = shared;
    this.#context = context;
    this.#link = new Link(arrival.connection, shared, this);
    this.#conversation = new Conversation(this, services, this.#link.output, shared.scratch);
    this.#input = new SessionInput(this, shared, context.clock, this.#link, this.#conversation);
  }

  // --- As an actor.

  started(): void {
    this.#shared.registry.add(this);
    this.#input.read();
  }

  receive(message: SessionMessage): void {
    switch (message.kind) {
      case "received":
        return this.#received(message.count);
      case "shaken":
        this.#shaken(message.handshake);
        return this.#advance();
      case "claimed":
        this.#claimed(message.handshake, message.result);
        return this.#advance();
      case "resume":
        this.#input.resumed();
        return this.#advance();
      case "drain":
        return this.#drain(shuttingDown);
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
    if (this.#input.held === "window" || this.#phase === "draining") this.#input.askResume();
  }

  resume(): void {
    if (this.#input.held === "intake") this.#input.askResume();
  }

  // --- As the user of a link.

  received(count: number | null): void {
    this.#context.self.tell({ kind: "received", count });
  }

  drained(): void {
    const { outbound } = this.#conversation;
    if (outbound !== undefined) {
      outbound.drained();
      this.#link.output.flush();
    }
    if (this.#input.held === "output") this.#input.askResume();
  }

  failed(error: unknown): void {
    this.#endLater({ end: "connection_lost", detail: String(error) });
  }

  // --- As the host of a conversation, in its own turn.

  held(hold: PacketHold): void {
    this.#input.hold(hold);
  }

  shaking(handshake: Handshake | Promise<Handshake>): void {
    this.#shared.registry.spoke(this);
    if (!(handshake instanceof Promise)) return this.#shaken(handshake);
    const { self } = this.#context;
    handshake.then((handshake) => self.tell({ kind: "shaken", handshake }));
  }

  end(ending: Ending): void {
    this.#over(ending);
    this.#context.stop(this.#context.self);
  }

  placedInFile(): void {
    this.#leavePlace();
  }

  placedHere(): void {
    if (this.#placed || this.#entered === undefined) return;
    this.#placed = true;
    this.#shared.services.quotas?.take(this.#entered);
  }

  // --- As the registry and the listener see it.

  takeOver(order = Infinity): void {
    if (order > this.#order) this.takenOver();
  }

  takenOver(): void {
    this.#endLater(endings.takenOver);
  }

  makeRoom(): void {
    this.#endLater(endings.madeRoom);
  }

  /** The account that is connected here may have changed. */
  accountChanged(): void {
    const { info } = this.#conversation;
    if (info !== undefined && !this.#isCurrent(info)) this.#endLater(endings.accountChanged);
  }

  /** Somebody was banned. */
  bansChanged(): void {
    const { info } = this.#conversation;
    const detail = info && this.#shared.services.bans?.now(info);
    if (detail !== undefined) this.#endLater({ ...endings.banned, detail });
  }

  drain(): void {
    this.#context.self.tell({ kind: "drain" });
  }

  /** Ends what is overdue. Called about once a second, which spares each session its timers. */
  sweep(nowMs: number): void {
    const { limits } = this.#shared.services;
    const forMs = nowMs - this.#input.sinceMs;
    switch (this.#phase) {
      case "connecting":
        if (forMs > limits.connectTimeoutMs) this.#endLater(endings.connectTimeout);
        else if (this.#input.held === "memory") this.#input.askResume();
        return;
      case "connected":
        if (this.#input.held === "memory") this.#input.askResume();
        if (this.#context.clock.now() >= (this.#conversation.info?.expiresMs ?? Infinity)) {
          this.#endLater(endings.tokenExpired);
        } else if (this.#link.output.stalledMs(nowMs) > limits.writeStallMs) {
          this.#endLater(endings.writeStalled);
        } else if (this.#input.held === "none" && forMs > this.#silenceMsMax) {
          this.#endLater(endings.keepAliveTimeout);
        }
        return;
      case "draining":
        if (forMs > limits.drainMs) this.#endLater(this.#draining.late);
        return;
      case "ended":
        return;
      default:
        return this.#phase satisfies never;
    }
  }

  // --- As the host of its input.

  get ended(): boolean {
    return this.#phase === "ended";
  }

  notKept(): void {
    this.end({ end: "not_kept", detail: "the file of kept sessions failed" });
  }

  notReadable(): void {
    this.#endLater({ end: "not_kept", detail: "its kept session cannot be read" });
  }

  resumeLater(): void {
    this.#context.self.tell(resumeMessage);
  }

  violated({ reasonCode, message }: ProtocolError): void {
    const { version } = this.#conversation;
    if (version === undefined && reasonCode === reasonCodes.unsupportedProtocolVersion) {
      // In the form that every version can read [MQTT-3.1.2-2].
      const connack = refusal(4, reasonCode);
      if (connack !== undefined) this.#conversation.write(connack);
    }
    this.end({ end: "protocol_error", reasonCode, detail: message });
  }

  #received(count: number | null): void {
    if (count === null) return this.#inputOver();
    this.#input.filled(count, this.#phase === "connected");
    this.#advance();
  }

  /** The client says no more. It may still read, so what it has asked for is answered first. */
  #inputOver(): void {
    const { inbound, version } = this.#conversation;
    if (this.#phase === "draining") return; // It ends when what was taken is acknowledged, or late.
    if (this.#phase === "connecting" && version !== undefined) return; // Read again when it is through.
    if (this.#phase === "connected" && (inbound?.inFlight ?? 0) > 0) {
      return this.#drain({ done: endings.closed, late: endings.closed });
    }
    this.end(endings.closed);
  }

  #advance(): void {
    if (this.#phase === "draining") return this.#endWhenDrained();
    this.#input.advance();
  }

  #shaken(shaken: Handshake): void {
    const { version = 4 } = this.#conversation;
    // While it was being asked, the account may have changed.
    const handshake = shaken.kind === "refused" || this.#isCurrent(shaken.session)
      ? shaken
      : refuse({ version }, reasonCodes.notAuthorized, endings.accountChanged.detail);
    if (handshake.kind === "refused") return this.#refused(handshake);
    const { quotas } = this.#shared.services;
    if (quotas !== undefined) {
      const entered = quotas.enter(handshake.session);
      if (entered === undefined) {
        const why = "the account has as many sessions as it may have";
        return this.#refused(refuse({ version }, reasonCodes.quotaExceeded, why));
      }
      this.#entered = handshake.session;
      this.#placed = entered === "here";
    }
    const claim = this.#conversation.claim(handshake.session);
    if (claim === undefined) return this.#connected(handshake, false);
    claim.then((result) => this.#context.self.tell({ kind: "claimed", handshake, result }));
  }

  /** The session that outlives the connection is at hand, or is over. */
  #claimed(handshake: Accepted, result: ClaimResult): void {
    const { version = 4 } = this.#conversation;
    // Somebody else may have claimed the session since: what ends this one is on its way.
    if (this.ended || result.kind === "evicted" || this.#conversation.closed) return;
    if (result.kind === "refused") {
      return this.#refused(refuse({ version }, result.reasonCode, result.detail));
    }
    // Its session has ended because this client wanted it so.
    if (result.will !== undefined) {
      this.#shared.wills.publish(result.will, sessionKey(handshake.session));
    }
    if (!this.#isCurrent(handshake.session)) {
      const { notAuthorized } = reasonCodes;
      return this.#refused(refuse({ version }, notAuthorized, endings.accountChanged.detail));
    }
    this.#connected(handshake, result.kind === "attached" && result.attachment.present);
  }

  #refused(handshake: Handshake): void {
    if (handshake.kind !== "refused") return;
    const { connack, reason, detail } = handshake;
    if (connack !== undefined) this.#conversation.write(connack, reason);
    this.end({ end: "refused", detail });
  }

  #connected(handshake: Accepted, sessionPresent: boolean): void {
    const { services, registry } = this.#shared;
    // While it was being asked and its session was fetched, it may have been banned.
    const banned = services.bans?.now(handshake.session);
    if (banned !== undefined) {
      const { version } = handshake.session;
      return this.#refused(refuse({ version }, reasonCodes.banned, banned));
    }
    if (!this.#conversation.write({ ...handshake.connack, sessionPresent })) {
      return this.end({ end: "refused", detail: "the client takes no packet as large as CONNACK" });
    }
    this.sender = services.senderOf?.(handshake.session);
    this.#conversation.begin(handshake.session);
    this.#input.opened();
    this.#silenceMsMax = handshake.silenceMsMax;
    this.#phase = "connected";
    this.#input.sinceMs = this.#context.clock.monotonic();
    services.stats.connected(this.arrival.transport);
    registry.connect(sessionKey(handshake.session), this);
    this.#order = services.roll?.joined(handshake.session, this.originHash) ?? 0;
    this.#conversation.resume();
  }

  // --- Ending.

  #drain(draining: Draining): void {
    if (this.#phase === "draining") return;
    if (this.#phase !== "connected") return this.end(draining.done);
    this.#phase = "draining";
    this.#draining = draining;
    this.#input.sinceMs = this.#context.clock.monotonic();
    this.#endWhenDrained();
  }

  #endWhenDrained(): void {
    if ((this.#conversation.inbound?.inFlight ?? 0) === 0) this.end(this.#draining.done);
  }

  #endLater(ending: Ending): void {
    this.#context.self.tell({ kind: "end", ending });
  }

  /** Everything that has to be done once, however the session ends. */
  #over(ending: Ending): void {
    if (this.ended) return;
    this.#phase = "ended";
    const { services, registry, wills } = this.#shared;
    const { info, will } = this.#conversation;
    // Of an account that was changed or disabled the will is not its own any more, whatever ends it.
    const sendWill = info !== undefined && will !== undefined && sessionEnds[ending.end].will &&
      this.#isCurrent(info);
    const willTime = this.#conversation.close(sendWill);
    this.#farewell(ending);
    services.intake.forget(this);
    registry.delete(this, info && sessionKey(info));
    if (this.arrival.turnedAway !== undefined) this.#shared.turnedAway--;
    else this.arrival.left?.();
    services.stats.ended(ending.end);
    this.#leavePlace();
    if (info !== undefined) {
      services.stats.disconnected(this.arrival.transport);
      services.roll?.left(this.originHash);
      if (sessionEnds[ending.end].flaps) services.bans?.ended(info);
      if (will !== undefined && willTime === "now" && wills.publish(will, sessionKey(info))) {
        this.#conversation.willSent();
      }
    }
    services.events.ended?.(this.arrival.peer, info?.clientId, ending);
  }

  #leavePlace(): void {
    if (!this.#placed || this.#entered === undefined) return;
    this.#placed = false;
    this.#shared.services.quotas?.left(this.#entered);
  }

  /** A client that can hear is told why, as far as its version can be, and gets what was sent. */
  #farewell({ end, reasonCode, detail }: Ending): void {
    const { info } = this.#conversation;
    const { output } = this.#link;
    const { hears } = sessionEnds[end];
    const farewell = hears === true && info !== undefined;
    if (!farewell && (hears === false || output.waitingBytes === 0)) return this.#link.close();
    if (info?.version === 5 && reasonCode !== undefined) {
      this.#conversation.write(
        { kind: "disconnect", reasonCode, properties: noProperties },
        detail,
      );
    }
    this.#link.leave(this.#shared.services.limits.drainMs);
  }

  #isCurrent(info: SessionInfo): boolean {
    return this.#shared.services.isCurrent?.(info) ?? true;
  }
}
