/**
 * The counters of one shard's endpoint.
 *
 * @module
 */
import { type SessionTransport, sessionTransports } from "./arrival.ts";
import type { SessionEnd } from "./session_end.ts";

/** Only ever grows, but for the sessions. */
export class EndpointStats {
  accepted = 0;
  /** Closed at once because there were as many connections as may be. */
  overLimit = 0;
  acceptErrors = 0;
  /** Closed before MQTT began: no TLS, no good certificate, no PROXY header, too slow. */
  unprepared = 0;
  /** Those of them that had no certificate that is let in. */
  certificatesRefused = 0;
  /** Those of them by which a proxy did not say whose they are. */
  proxyHeadersRefused = 0;
  /** A new certificate was taken, or refused while the old one stays. */
  tlsReloads = 0;
  tlsReloadFailures = 0;
  /** PUBLISH packets that clients sent and that were taken. */
  publishesReceived = 0;
  /** Packets of every kind that were taken; what was sent, but for PUBLISH and PUBREL. */
  packetsReceived = 0;
  packetsSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  wills = 0;
  /** Wills that found neither credit nor a place to wait for it. */
  willsDropped = 0;
  /** Times a connection was not read from for want of credit, of a place in flight, or of memory. */
  pauses = 0;
  /** Messages that a broker gave back after they had gone out from here. */
  brokerLoops = 0;
  readonly #sessions: Record<SessionTransport, number> = { mqtt: 0, ws: 0 };
  readonly #ends = new Map<SessionEnd, number>();

  /** Connected clients now. */
  get sessions(): number {
    return sessionTransports.reduce((sum, transport) => sum + this.#sessions[transport], 0);
  }

  /** The same, by transport. */
  get sessionsBy(): Readonly<Record<SessionTransport, number>> {
    return this.#sessions;
  }

  connected(transport: SessionTransport): void {
    this.#sessions[transport]++;
  }

  disconnected(transport: SessionTransport): void {
    this.#sessions[transport]--;
  }

  ended(end: SessionEnd): void {
    this.#ends.set(end, this.ends(end) + 1);
  }

  ends(end: SessionEnd): number {
    return this.#ends.get(end) ?? 0;
  }

  /** By metric name, as a shard snapshot's `counters` want them. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {
      sluice_mqtt_publish_received_total: this.publishesReceived,
      sluice_mqtt_packets_received_total: this.packetsReceived,
      sluice_mqtt_packets_sent_total: this.packetsSent,
      sluice_mqtt_bytes_received_total: this.bytesReceived,
      sluice_mqtt_bytes_sent_total: this.bytesSent,
      sluice_mqtt_connections_accepted_total: this.accepted,
      sluice_mqtt_connections_over_limit_total: this.overLimit,
      sluice_mqtt_accept_errors_total: this.acceptErrors,
      sluice_mqtt_connections_unprepared_total: this.unprepared,
      sluice_mqtt_client_certificates_refused_total: this.certificatesRefused,
      sluice_mqtt_proxy_headers_refused_total: this.proxyHeadersRefused,
      sluice_mqtt_tls_reloads_total: this.tlsReloads,
      sluice_mqtt_tls_reload_failures_total: this.tlsReloadFailures,
      sluice_mqtt_wills_total: this.wills,
      sluice_mqtt_wills_dropped_total: this.willsDropped,
      sluice_mqtt_pauses_total: this.pauses,
      sluice_broker_loops_total: this.brokerLoops,
    };
    for (const [end, count] of this.#ends) {
      counters[`sluice_mqtt_connections_ended_${end}_total`] = count;
    }
    return counters;
  }
}
