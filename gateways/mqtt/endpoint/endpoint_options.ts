/**
 * What the endpoint is told, and what it asks of its surroundings.
 *
 * @module
 */
import { hashText } from "../../../actors/fingerprint.ts";
import type { Intake } from "../../../actors/intake.ts";
import type { Entered, SubscriptionQuota } from "../../../actors/rates/account_quotas.ts";
import type { Sender } from "../../../actors/rates/rates.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import type { ClientCertificate, TurnedAway } from "./arrival.ts";
import type { EndpointStats } from "./endpoint_stats.ts";
import type { Ending } from "./session_end.ts";
import type { MessageExchange } from "./subscriptions.ts";

/** Limits of every connection. Each is a bound of memory or of time. */
export interface EndpointLimits {
  /** Connections of this shard at once. */
  readonly connectionsMax: number;
  /** From the accepted connection to its CONNECT. */
  readonly connectTimeoutMs: number;
  readonly keepAliveMaxS: number;
  /** How long a session may outlive its connection; 0: none does. */
  readonly sessionExpiryMaxS: number;
  /** QoS 1 and 2 messages of a connection in flight. */
  readonly receiveMaximum: number;
  /** QoS 2 messages of a session whose PUBREL has not come. */
  readonly qos2Max: number;
  /** Largest packet. */
  readonly packetBytesMax: number;
  /**
   * What the grown read buffers of all connections may hold together. When a quarter of that is
   * written to connections that do not take it, none of them is read from.
   */
  readonly readBytesMax: number;
  /** How long a connection may take none of what is sent to it. */
  readonly writeStallMs: number;
  /** How long a connection that is being ended may take to get its last acknowledgements. */
  readonly drainMs: number;
}

/** Who wants to connect. */
export interface Credentials {
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: Uint8Array | undefined;
  /** The account that its certificate, which was found good, is for. */
  readonly certifiedName?: string | undefined;
  /** `host:port` of the other end. */
  readonly peer: string;
}

/** What a session may do. */
export interface SessionPermit {
  /** Whether the topic name in these bytes may be published to. */
  publish(bytes: Uint8Array, start: number, end: number): boolean;
  /** Whether every topic that the filter matches may be read. */
  subscribe(filter: string): boolean;
}

/** Who has connected, as the accounts know it. */
export interface Granted {
  /** Empty when everybody is let in. */
  readonly account: string;
  /** Of the account; a session of an earlier one is ended when the account changes. */
  readonly accountVersion?: number | undefined;
  /** Absent when everything is allowed. */
  readonly permit?: SessionPermit | undefined;
  /** Wall time in ms at which the session ends with its token, or its certificate. */
  readonly expiresMs?: number | undefined;
}

/** `reasonCode` is one of MQTT 5's for CONNACK; MQTT 3 clients get the nearest return code. */
export type Authentication =
  | { readonly kind: "granted" } & Granted
  | { readonly kind: "denied"; readonly reasonCode: number };

/** A rejected promise denies with `serverUnavailable`. */
export type Authenticate = (
  credentials: Credentials,
) => Authentication | Promise<Authentication>;

/** Lets everybody in. */
export const openToAll: Authenticate = (): Authentication => ({ kind: "granted", account: "" });

/** A connected client, as others see it. */
export interface SessionInfo extends Granted {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly peer: string;
  readonly certificate?: ClientCertificate | undefined;
}

/** What tells sessions apart: client ids of one account have nothing to do with another's. */
export function sessionKey({ account, clientId }: SessionInfo): string {
  return account === "" ? clientId : `${account}\0${clientId}`;
}

/** The account of such a key; empty: none. */
export function accountOf(sessionKey: string): string {
  return sessionKey.slice(0, Math.max(0, sessionKey.indexOf("\0")));
}

/** What readings of a session's client have in common, whatever the connection. */
export function originHashOf(sessionKey: string): number {
  return hashText(sessionKey);
}

export interface EndpointEvents {
  /** `ending.detail` is text for people; it may hold what the client sent, so escape it in logs. */
  ended?(peer: string, clientId: string | undefined, ending: Ending): void;
  /** Accepting failed, for example for want of file descriptors; it goes on by itself. */
  acceptFailed?(error: unknown): void;
}

/** Counts connections by `host:port` of the other end. */
export interface Door {
  /** `undefined`: it is let in. */
  enter(peer: string): TurnedAway | undefined;
  left(peer: string): void;
}

/** Who is connected, over all shards. */
export interface SessionRoll {
  /**
   * A client has connected here: a session of its key elsewhere is to end [MQTT-3.1.4-3]. Gives a
   * number that is higher than those of all that connected before, wherever.
   */
  joined(session: SessionInfo, keyHash: number): number;
  /** Called once for each that joined. */
  left(keyHash: number): void;
}

/** Who may not connect for a time. */
export interface Bans {
  /** Another one after every ban. */
  readonly version: number;
  /** `undefined`: it is not banned. */
  of(client: Pick<SessionInfo, "account" | "clientId" | "peer">): TurnedAway | undefined;
  /** Until when, in words, a client that had been let in is banned by now. */
  now(session: SessionInfo): string | undefined;
  /** A client that was connected has gone, and it was its own doing. */
  ended(session: SessionInfo): void;
}

/** What an account may have at once. */
export interface Quotas {
  /** Takes a place for a session, unless it has one elsewhere; `undefined`: there is none. */
  enter(session: SessionInfo): Entered;
  /** Takes a place for one that gives up what it has elsewhere, once it has this one. */
  take(session: SessionInfo): void;
  /** Called once for each that has a place here: it has ended, or has one elsewhere. */
  left(session: SessionInfo): void;
  subscriptionsOf(session: SessionInfo): SubscriptionQuota | undefined;
}

/** What all sessions of one listener share. */
export interface EndpointServices {
  readonly intake: Intake;
  readonly limits: EndpointLimits;
  readonly authenticate: Authenticate;
  /** Whether account and certificate are still as good as when it was let in. Default: always. */
  readonly isCurrent?: (session: SessionInfo) => boolean;
  /** Who is let in at the door, before a word is said. Default: everybody. */
  readonly door?: Door | undefined;
  /** Hears who is connected. Default: there is no other shard. */
  readonly roll?: SessionRoll;
  /** Who may not connect for a time. Default: nobody. */
  readonly bans?: Bans;
  /** Default: none. */
  readonly quotas?: Quotas;
  /** Whose rates a session is held to. Default: nobody's. */
  readonly senderOf?: (session: SessionInfo) => Sender | undefined;
  /**
   * What becomes of a PUBLISH that is not allowed, where MQTT 3 has no word for it: acknowledged
   * and counted as refused, or the connection is closed [MQTT-3.3.5-2].
   */
  readonly deniedPublish?: "acknowledge" | "disconnect";
  /** Makes the id of a client that has none; no two may be alike. Default: a random one. */
  readonly assignId?: () => string;
  /** Messages from publishers to subscribers. */
  readonly messages: MessageExchange;
  readonly stats: EndpointStats;
  readonly events: EndpointEvents;
}
