/**
 * What the endpoint is told, and what it asks of its surroundings.
 *
 * @module
 */
import type { Intake } from "../../../actors/intake.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import type { EndpointStats } from "./endpoint_stats.ts";
import type { Ending } from "./session_end.ts";
import type { SubscriptionHandler } from "./subscriptions.ts";

/** Limits of every connection. Each is a bound of memory or of time. */
export interface EndpointLimits {
  /** Connections of this shard at once. */
  readonly connectionsMax: number;
  /** From the accepted connection to its CONNECT. */
  readonly connectTimeoutMs: number;
  readonly keepAliveMaxS: number;
  /** QoS 1 and 2 messages of a connection in flight. */
  readonly receiveMaximum: number;
  /** Largest packet. */
  readonly packetBytesMax: number;
  /** What the grown read buffers of all connections may hold together. */
  readonly readBytesMax: number;
  /** How long a connection may take none of what is sent to it. */
  readonly writeStallMs: number;
  /** How long a connection that is being ended may take to get its last acknowledgements. */
  readonly drainMs: number;
}

/** Who wants to connect. */
export interface Credentials {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Uint8Array;
  /** `host:port` of the other end. */
  readonly peer: string;
}

/** `reasonCode` is one of MQTT 5's for CONNACK; MQTT 3 clients get the nearest return code. */
export type Authentication =
  | { readonly kind: "granted"; readonly account: string }
  | { readonly kind: "denied"; readonly reasonCode: number };

/** A rejected promise denies with `serverUnavailable`. */
export type Authenticate = (
  credentials: Credentials,
) => Authentication | Promise<Authentication>;

/** Lets everybody in. */
export const openToAll: Authenticate = (): Authentication => ({ kind: "granted", account: "" });

/** A connected client, as others see it. */
export interface SessionInfo {
  readonly clientId: string;
  readonly account: string;
  readonly version: ProtocolVersion;
  readonly peer: string;
}

export interface EndpointEvents {
  connected?(session: SessionInfo): void;
  /** `ending.detail` is text for people; it may hold what the client sent, so escape it in logs. */
  ended?(peer: string, clientId: string | undefined, ending: Ending): void;
  /** Accepting failed, for example for want of file descriptors; it goes on by itself. */
  acceptFailed?(error: unknown): void;
}

/** What all sessions of one listener share. */
export interface EndpointServices {
  readonly intake: Intake;
  readonly limits: EndpointLimits;
  readonly authenticate: Authenticate;
  /** Makes the id of a client that has none; no two may be alike. Default: a random one. */
  readonly assignId?: () => string;
  readonly subscriptions: SubscriptionHandler;
  readonly stats: EndpointStats;
  readonly events: EndpointEvents;
}
