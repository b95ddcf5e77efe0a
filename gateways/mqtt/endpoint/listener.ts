/**
 * Accepts the connections of one shard and supervises their sessions. With `reusePort` every shard
 * listens on the same port and the kernel divides the connections.
 *
 * @module
 */
import type { Actor, ActorRef, ChildSpec, Context } from "../../../runtime/actor.ts";
import type { Acceptor, Arrival } from "./arrival.ts";
import type { EndpointServices } from "./endpoint_options.ts";
import { Session } from "./session.ts";
import { type SessionMessage, SessionShared } from "./session_shared.ts";
import type { ClientConnected } from "./shared_roll.ts";

export type ListenerMessage =
  | { readonly kind: "accepted"; readonly acceptor: Acceptor; readonly arrival: Arrival }
  | { readonly kind: "accept_failed"; readonly acceptor: Acceptor; readonly error: unknown }
  | { readonly kind: "accept"; readonly acceptor: Acceptor }
  | { readonly kind: "sweep" }
  /** A client has connected in another shard: its session here ends. */
  | { readonly kind: "connected_elsewhere"; readonly connected: ClientConnected }
  /** Accounts have changed: sessions of what they were before end. */
  | { readonly kind: "accounts_changed" }
  /** Somebody was banned: its sessions end. */
  | { readonly kind: "bans_changed" }
  /** Accept and read no more, acknowledge what is in flight, close; then `drained` is told. */
  | { readonly kind: "drain"; readonly drained: ActorRef<"drained"> };

/** How long to wait before accepting again after it failed. */
const acceptRetryMs = 200;
const sweepMs = 1_000;
/** Connections at once that are not let in, and are told so at their CONNECT. */
const turnedAwayMax = 256;

/**
 * The listener as a child. `open` is called by each incarnation; what it throws is the actor's
 * failure, so whoever wants to know of a port in use beforehand opens it there.
 */
export function listenerSpec(
  id: string,
  services: EndpointServices,
  open: () => readonly Acceptor[],
): ChildSpec<ListenerMessage> {
  return {
    id,
    kind: "mqtt_listener",
    start: (context) => new Listener(services, open(), context),
  };
}

class Listener implements Actor<ListenerMessage> {
  readonly #services: EndpointServices;
  /** Empty once accepting has ended. */
  #acceptors: readonly Acceptor[];
  readonly #context: Context<ListenerMessage>;
  readonly #shared: SessionShared<Session>;
  /** Those whose session has not started, by its id. */
  readonly #arrivals = new Map<string, Arrival>();
  readonly #sessionSpec: ChildSpec<SessionMessage> = {
    id: "session",
    kind: "mqtt_session",
    restart: "temporary",
    mailOnCrash: "dead_letter",
    mailbox: { countMax: 64 },
    start: (context) => this.#session(context),
  };
  #accepted = 0;
  /** What it was when the sessions were last looked at. */
  #bansVersion = 0;
  /** Connections that are not closed, those included whose session has ended. */
  #open = 0;
  #drained: ActorRef<"drained"> | undefined;

  constructor(
    services: EndpointServices,
    acceptors: readonly Acceptor[],
    context: Context<ListenerMessage>,
  ) {
    this.#services = services;
    this.#acceptors = acceptors;
    this.#context = context;
    this.#shared = new SessionShared(services, context.clock, () => this.#closed());
  }

  started(context: Context<ListenerMessage>): void {
    for (const acceptor of this.#acceptors) this.#accept(acceptor);
    context.startTimer("sweep", sweepMs, { kind: "sweep" });
  }

  receive(message: ListenerMessage, context: Context<ListenerMessage>): void {
    switch (message.kind) {
      case "accepted":
        this.#admit(message.arrival, context);
        return this.#accept(message.acceptor);
      case "accept_failed":
        return this.#acceptFailed(message.acceptor, message.error, context);
      case "accept":
        return this.#accept(message.acceptor);
      case "sweep": {
        const nowMs = context.clock.monotonic();
        const { registry, wills } = this.#shared;
        for (const session of registry.values()) session.sweep(nowMs);
        this.#endBanned();
        const { messages } = this.#services;
        messages.kept?.sweep((will, key) => wills.publish(will, key, true));
        messages.flush();
        return context.startTimer("sweep", sweepMs, message);
      }
      case "connected_elsewhere": {
        const { sessionKey, order } = message.connected;
        return this.#shared.registry.takeOver(sessionKey, order);
      }
      case "accounts_changed":
        for (const session of this.#shared.registry.values()) session.accountChanged();
        return;
      case "bans_changed":
        return this.#endBanned();
      case "drain":
        this.#drained = message.drained;
        this.#stopAccepting();
        for (const session of this.#shared.registry.values()) session.drain();
        return this.#tellDrained();
      default:
        return message satisfies never;
    }
  }

  #endBanned(): void {
    const { bans } = this.#services;
    if (bans === undefined || bans.version === this.#bansVersion) return;
    this.#bansVersion = bans.version;
    for (const session of this.#shared.registry.values()) session.bansChanged();
  }

  stopped(): void {
    this.#stopAccepting();
  }

  #accept(acceptor: Acceptor): void {
    if (!this.#acceptors.includes(acceptor)) return;
    const { self } = this.#context;
    acceptor.accept().then(
      (arrival) => {
        const told = self.tell({ kind: "accepted", acceptor, arrival });
        if (told !== "accepted") this.#turnBack(arrival);
      },
      (error: unknown) => self.tell({ kind: "accept_failed", acceptor, error }),
    );
  }

  #acceptFailed(acceptor: Acceptor, error: unknown, context: Context<ListenerMessage>): void {
    if (!this.#acceptors.includes(acceptor)) return;
    this.#services.stats.acceptErrors++;
    this.#services.events.acceptFailed?.(error);
    const key = `accept ${this.#acceptors.indexOf(acceptor)}`;
    context.startTimer(key, acceptRetryMs, { kind: "accept", acceptor });
  }

  #admit(arrival: Arrival, context: Context<ListenerMessage>): void {
    const { stats, limits, door } = this.#services;
    if (this.#drained !== undefined) return this.#turnBack(arrival);
    const { peer, connection } = arrival;
    const turnedAway = arrival.left ? undefined : door?.enter(peer);
    if (turnedAway !== undefined) return this.#turnAway({ ...arrival, turnedAway }, context);
    const left = arrival.left ?? (door && (() => door.left(peer)));
    // One that has said nothing yet makes room for one that may.
    if (this.#open >= limits.connectionsMax && !this.#shared.registry.endSilent()) {
      stats.overLimit++;
      left?.();
      return connection.close();
    }
    stats.accepted++;
    this.#converse(left === undefined ? arrival : { ...arrival, left }, context);
  }

  /** Closes it before it had a session. */
  #turnBack({ left, connection }: Arrival): void {
    left?.();
    connection.close();
  }

  /** Hears its CONNECT, to say why not; when many wait for that, it is closed without a word. */
  #turnAway(arrival: Arrival, context: Context<ListenerMessage>): void {
    const { limits } = this.#services;
    const full = this.#shared.turnedAway >= turnedAwayMax || this.#open >= limits.connectionsMax;
    if (full) return arrival.connection.close();
    this.#shared.turnedAway++;
    this.#converse(arrival, context);
  }

  #converse(arrival: Arrival, context: Context<ListenerMessage>): void {
    this.#open++;
    // Not digits alone: V8 hashes "1", "2", … to neighbouring places of the table that all its new
    // strings go through, and once many lie there each of them takes 20 µs.
    const id = `c${++this.#accepted}`;
    this.#arrivals.set(id, arrival);
    context.spawn(this.#sessionSpec, id);
  }

  #session(context: Context<SessionMessage>): Session {
    const arrival = this.#arrivals.get(context.id);
    if (arrival === undefined) throw new Error(`Nobody has arrived for session ${context.id}`);
    this.#arrivals.delete(context.id);
    return new Session(arrival, this.#shared, context);
  }

  #stopAccepting(): void {
    for (const acceptor of this.#acceptors) acceptor.close();
    this.#acceptors = [];
  }

  #closed(): void {
    this.#open--;
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.#open === 0) this.#drained?.tell("drained");
  }
}
