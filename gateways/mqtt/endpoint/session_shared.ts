/**
 * What the sessions of one listener share, and what they are told.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { EndpointServices } from "./endpoint_options.ts";
import type { ClaimResult } from "../kept/kept_connections.ts";
import type { Accepted, Handshake } from "./handshake.ts";
import { OfferScratch } from "./inbound_offers.ts";
import type { LinkShared } from "./link.ts";
import { WriterPool } from "./output.ts";
import { BufferBudget } from "./read_buffer.ts";
import type { Ending } from "./session_end.ts";
import { type RegisteredSession, SessionRegistry } from "./session_registry.ts";
import { Wills } from "./wills.ts";

export type SessionMessage =
  /** Bytes were read; `null`: the other end has closed. */
  | { readonly kind: "received"; readonly count: number | null }
  | { readonly kind: "shaken"; readonly handshake: Handshake }
  /** The session that outlives the connection is at hand, or not to be had. */
  | {
    readonly kind: "claimed";
    readonly handshake: Accepted;
    readonly result: ClaimResult;
  }
  /** What held the session back may be over. */
  | { readonly kind: "resume" }
  /** Read no more, acknowledge what is in flight, then end. */
  | { readonly kind: "drain" }
  | { readonly kind: "end"; readonly ending: Ending };

/** See the module. */
export class SessionShared<S extends RegisteredSession = RegisteredSession> implements LinkShared {
  readonly services: EndpointServices;
  readonly clock: Clock;
  readonly registry = new SessionRegistry<S>();
  readonly budget: BufferBudget;
  readonly writers: WriterPool;
  readonly scratch = new OfferScratch();
  readonly wills: Wills;
  /** Sessions that are only to hear why they are not let in. */
  turnedAway = 0;
  /** A link has closed for good. */
  readonly closed: () => void;

  constructor(services: EndpointServices, clock: Clock, closed: () => void) {
    this.services = services;
    this.clock = clock;
    this.closed = closed;
    this.writers = new WriterPool(services.stats);
    this.budget = new BufferBudget(services.limits.readBytesMax);
    this.wills = new Wills(services.intake, services.messages, services.stats);
  }
}
