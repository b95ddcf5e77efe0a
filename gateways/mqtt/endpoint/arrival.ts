/**
 * A client that has arrived: its connection, and what is known of it before it has said a word.
 *
 * @module
 */
import type { Connection } from "./link.ts";

/** How MQTT came here, as metrics name it: over TCP, with TLS or without, or over WebSocket. */
export const sessionTransports = ["mqtt", "ws"] as const;
export type SessionTransport = typeof sessionTransports[number];

/** What a client showed of itself before MQTT, and what was found good. */
export interface ClientCertificate {
  /** The account it is for. */
  readonly name: string;
  /** Who issued it, and under which number. */
  readonly issuer: string;
  readonly serial: string;
  /** Wall time in ms. */
  readonly expiresMs: number;
}

/** Why a client is not let in, as its CONNECT is answered: `reason` is for people. */
export interface TurnedAway {
  readonly reasonCode: number;
  readonly reason: string;
}

/** See the module. */
export interface Arrival {
  readonly connection: Connection;
  /** `host:port` of the client itself, whoever carried its bytes here. */
  readonly peer: string;
  readonly transport: SessionTransport;
  readonly certificate?: ClientCertificate;
  /** Nobody can read along. */
  readonly secure?: true;
  /** Monotonic time in ms of its connecting, where something had to be known before it came here. */
  readonly connectedMs?: number;
  /** It was let in at the door already: to be called once, when it leaves. */
  readonly left?: () => void;
  /** It is not let in. */
  readonly turnedAway?: TurnedAway;
}

/** Where clients arrive, one after the other. */
export interface Acceptor {
  /** Rejects when there is none now, for example for want of file descriptors, or after `close`. */
  accept(): Promise<Arrival>;
  close(): void;
}

/** A listener of Deno's as an acceptor. */
export function acceptorOf(listener: Deno.TcpListener | Deno.TlsListener): Acceptor {
  return {
    accept: () => listener.accept().then(arrived),
    close: () => listener.close(),
  };
}

function arrived(connection: Deno.TcpConn | Deno.TlsConn): Arrival {
  const { hostname, port } = connection.remoteAddr;
  return { connection, peer: `${hostname}:${port}`, transport: "mqtt" };
}

/** The IP address of a `host:port`. */
export const hostOf = (peer: string): string => peer.slice(0, Math.max(0, peer.lastIndexOf(":")));
