/**
 * Where a shard's MQTT clients arrive: over TCP, over TLS with or without certificates of theirs,
 * either one through proxies, and from the HTTP edge.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { CertificateRefused } from "../gateways/mqtt/client_tls/certificate_refused.ts";
import type { ClientTls } from "../gateways/mqtt/client_tls/client_tls.ts";
import {
  type Acceptor,
  acceptorOf,
  type ClientCertificate,
} from "../gateways/mqtt/endpoint/arrival.ts";
import type { Door } from "../gateways/mqtt/endpoint/endpoint_options.ts";
import type { EndpointStats } from "../gateways/mqtt/endpoint/endpoint_stats.ts";
import {
  PreparedAcceptor,
  type PreparedAcceptorOptions,
} from "../gateways/mqtt/endpoint/prepared_acceptor.ts";
import type { LookResult, TlsFiles } from "../gateways/mqtt/endpoint/certificate_watch.ts";
import { ReloadingAcceptor } from "../gateways/mqtt/endpoint/reloading_acceptor.ts";
import { readPreface } from "../gateways/mqtt/websocket/preface.ts";
import { Proxies } from "../gateways/proxy/proxies.ts";
import { ProxyHeaderError } from "../gateways/proxy/proxy_header.ts";
import type { Clock } from "../runtime/clock.ts";
import { listenAtSocket } from "./session_sockets.ts";
import type { ShardInit } from "./shard_protocol.ts";
import { readTlsFiles, readTlsFilesSync } from "./tls_files.ts";

const log = logger("mqtt");

type Address = NonNullable<ShardInit["mqttTls"]>;

export interface AcceptorsOptions {
  readonly init: Pick<ShardInit, "mqtt" | "mqttTls" | "sessionPath" | "config">;
  readonly stats: EndpointStats;
  readonly clock: Clock;
  /** Where Deno's own listener does not do: see {@linkcode importClientTls}. */
  readonly clientTls: typeof ClientTls | undefined;
  /** Passed before a handshake that costs more than Deno's. */
  /** Absent: all are let in. */
  readonly door: Door | undefined;
  /** Some may have been revoked. */
  readonly certificatesChanged: () => void;
}

/** TLS handshakes at once; each costs memory before its client is known. */
const handshakesMax = 256;

/**
 * TLS of our own is loaded where it is needed, for it takes memory: where clients are asked for
 * certificates, or a proxy speaks before TLS begins.
 */
export async function importClientTls(
  { mqtt: { tls, proxyProtocol } }: ShardInit["config"],
): Promise<typeof ClientTls | undefined> {
  if (tls.listen === "") return undefined;
  if (tls.clientCaFile === undefined && proxyProtocol.length === 0) return undefined;
  return (await import("../gateways/mqtt/client_tls/client_tls.ts")).ClientTls;
}

/** See the module. */
export class ShardAcceptors {
  readonly #options: AcceptorsOptions;
  readonly #proxies: Proxies;
  #clientTls: ClientTls | undefined;
  #reloading: ReloadingAcceptor | undefined;

  constructor(options: AcceptorsOptions) {
    this.#options = options;
    this.#proxies = new Proxies(options.init.config.mqtt.proxyProtocol);
  }

  /**
   * Without a certificate that can be used, TLS waits for one; the others are open.
   *
   * @throws {Error} when an address cannot be listened at; then it is at none. One left open would
   * be given connections, which nobody accepts, of the shards that listen there.
   */
  open(): Acceptor[] {
    const { mqtt, mqttTls, sessionPath } = this.#options.init;
    const acceptors: Acceptor[] = [];
    try {
      if (mqtt !== undefined) acceptors.push(this.#tcp(mqtt));
      if (mqttTls !== undefined) acceptors.push(this.#tls(mqttTls));
      if (sessionPath !== undefined) acceptors.push(this.#sessions(sessionPath));
    } catch (cause) {
      for (const acceptor of acceptors) acceptor.close();
      throw cause;
    }
    return acceptors;
  }

  /** Whether the certificate was revoked since its client was let in. */
  isRevoked(certificate: ClientCertificate): boolean {
    return this.#clientTls?.certificates?.isRevoked(certificate) ?? false;
  }

  /** Looks now whether certificates have changed; `undefined` where there are none. */
  async reload(): Promise<LookResult | undefined> {
    return await this.#reloading?.look();
  }

  #tcp(address: Address): Acceptor {
    const listener = listenTcp(address);
    const { proxyProtocol, connectionsMax } = this.#options.init.config.mqtt;
    if (proxyProtocol.length === 0) return acceptorOf(listener);
    return this.#prepared(listener, connectionsMax, (socket) => this.#proxies.arrivalOf(socket));
  }

  #sessions(path: string): Acceptor {
    const { connectionsMax } = this.#options.init.config.mqtt;
    return this.#prepared(listenAtSocket(path), connectionsMax, async (connection) => {
      const { peer, certificate, entered } = await readPreface(connection);
      return {
        connection,
        peer,
        transport: "ws",
        ...(certificate && { certificate }),
        // Then it is the HTTP edge that counts it.
        ...(entered && { left: () => {} }),
      };
    });
  }

  #tls(address: Address): Acceptor {
    const { init: { config: { mqtt: { tls } } }, clock, stats } = this.#options;
    const { certFile, clientCaFile, clientCrlFile } = tls;
    return this.#reloading = new ReloadingAcceptor({
      first: this.#firstTls(address),
      read: () => readTlsFiles(tls),
      open: (files) => this.#listenTls(address, files),
      clock,
      everyMs: tls.reloadMs,
      reloaded: () => {
        stats.tlsReloads++;
        log.info("took new certificates", { certFile, clientCaFile, clientCrlFile });
        this.#options.certificatesChanged();
      },
      refused: (cause) => this.#notTaken(cause),
    });
  }

  /** A start checks the files; a shard that is started anew may find others. */
  #firstTls(address: Address): { files: TlsFiles; acceptor: Acceptor } | undefined {
    try {
      const files = readTlsFilesSync(this.#options.init.config.mqtt.tls);
      return { files, acceptor: this.#listenTls(address, files) };
    } catch (cause) {
      listenTcp(address).close(); // Throws when it is the address that is no good.
      this.#notTaken(cause, "TLS is not listened for until there are good ones");
      return undefined;
    }
  }

  #notTaken(error: unknown, meanwhile = "those before stay"): void {
    const { init, stats } = this.#options;
    stats.tlsReloadFailures++;
    const { certFile, keyFile, clientCaFile, clientCrlFile } = init.config.mqtt.tls;
    const files = { certFile, keyFile, clientCaFile, clientCrlFile };
    log.error(`cannot take the certificates; ${meanwhile}`, { ...files, error });
  }

  #listenTls(address: Address, files: TlsFiles): Acceptor {
    const { init: { config: { mqtt: { tls } } }, clientTls: ClientTls, clock, door } =
      this.#options;
    if (ClientTls === undefined) {
      const { cert, key } = files;
      return acceptorOf(Deno.listenTls({ ...address, reusePort: true, cert, key }));
    }
    const clientTls = new ClientTls({
      files,
      required: tls.clientCertificate === "required",
      nameFrom: tls.clientName,
      clock,
    });
    const acceptor = this.#prepared(listenTcp(address), handshakesMax, async (socket) => {
      const arrival = await this.#proxies.arrivalOf(socket);
      const turnedAway = door?.enter(arrival.peer);
      if (turnedAway !== undefined) throw new Error(turnedAway.reason);
      const left = () => door?.left(arrival.peer);
      try {
        return { ...arrival, ...await clientTls.accept(socket), left };
      } catch (cause) {
        left();
        throw cause;
      }
    });
    this.#clientTls = clientTls;
    return acceptor;
  }

  #prepared<C extends Deno.Conn>(
    listener: PreparedAcceptorOptions<C>["listener"],
    countMax: number,
    prepare: PreparedAcceptorOptions<C>["prepare"],
  ): Acceptor {
    const { init: { config: { mqtt } }, clock, stats } = this.#options;
    return new PreparedAcceptor<C>({
      listener,
      prepare,
      countMax,
      deadlineMs: mqtt.connectTimeoutMs,
      clock,
      dropped: ({ left }) => left?.(),
      refused: (cause, connection) => {
        stats.unprepared++;
        const peer = this.#proxies.peerOf(connection);
        if (cause instanceof CertificateRefused) {
          stats.certificatesRefused++;
          const { message: why, subject } = cause;
          return log.warn("a client's certificate was refused", { peer, why, subject });
        }
        if (cause instanceof ProxyHeaderError) {
          stats.proxyHeadersRefused++;
          return log.warn("a proxy's connection was refused", { proxy: peer, why: cause.message });
        }
        log.debug("a connection was closed before MQTT began", { peer, cause });
      },
    });
  }
}

const listenTcp = (address: Address): Deno.TcpListener =>
  Deno.listen({ ...address, transport: "tcp", reusePort: true });
