/**
 * What a broker connection needs to know, and what of that its client is told.
 *
 * @module
 */
import type { IClientOptions } from "mqtt";
import type { TlsIdentity } from "./dial.ts";

/** What a broker connection needs to know. */
export interface BrokerOptions {
  /** User and password may stand in it. */
  readonly url: URL;
  readonly clientId: string;
  readonly filters: readonly string[];
  readonly share?: string;
  readonly qos: 0 | 1 | 2;
  readonly version: 4 | 5;
  readonly clean: boolean;
  readonly sessionExpiryS: number;
  readonly receiveMaximum: number;
  readonly keepAliveS: number;
  readonly packetBytesMax: number;
  /** Of a larger PUBLISH only the beginning is read. */
  readonly keptBytesMax: number;
  /** Asked before each connection, so that a renewed certificate is taken. */
  readonly tls: () => Promise<TlsIdentity>;
  /** Written on messages that go on to subscribers of MQTT 5: known again, should they come back. */
  readonly gatewayId: string;
  /** A larger payload, of which maybe not all was read, does not go on to subscribers. */
  readonly deliveredBytesMax: number;
}

/** Waits before a new try, in ms. */
const reconnectMs = 1_000;
const connackTimeoutMs = 10_000;

/** The options as mqtt.js has them. */
export function clientOptions(options: BrokerOptions): IClientOptions {
  const { url, version, clean, keepAliveS, receiveMaximum, sessionExpiryS, clientId } = options;
  return {
    clientId,
    clean,
    keepalive: keepAliveS,
    protocolId: "MQTT",
    protocolVersion: version,
    reconnectPeriod: reconnectMs,
    connectTimeout: connackTimeoutMs,
    resubscribe: false,
    reconnectOnConnackError: true,
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(version === 5
      ? { properties: { receiveMaximum, sessionExpiryInterval: clean ? 0 : sessionExpiryS } }
      : {}),
  };
}
