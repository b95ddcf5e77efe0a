/**
 * Where HTTP's clients arrive: over TCP or TLS, some of them through proxies.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { ListenAddress } from "../config/listen_address.ts";
import { logger } from "../gateways/log/log.ts";
import {
  type Acceptor,
  acceptorOf,
  type Arrival,
  type ClientCertificate,
  hostOf,
} from "../gateways/mqtt/endpoint/arrival.ts";
import type { LookResult } from "../gateways/mqtt/endpoint/certificate_watch.ts";
import { PreparedAcceptor } from "../gateways/mqtt/endpoint/prepared_acceptor.ts";
import { Proxies } from "../gateways/proxy/proxies.ts";
import { ProxyHeaderError } from "../gateways/proxy/proxy_header.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Guard } from "./guard.ts";
import { NotLetIn } from "./not_let_in.ts";
import type { HttpTls } from "./http_tls.ts";

const log = logger("http");

/** TLS handshakes at once; each costs memory before its client is known. */
const handshakesMax = 256;

export interface HttpAcceptorsOptions {
  readonly config: Config["http"];
  readonly plain: ListenAddress | undefined;
  readonly secure: ListenAddress | undefined;
  readonly clock: Clock;
  /** Passed before a handshake, which costs far more than a connection. Told of IP addresses. */
  readonly door: Pick<Guard, "enter" | "left">;
  /** Certificates of clients may have been revoked. */
  readonly certificatesChanged: () => void;
}

/** See the module. */
export class HttpAcceptors {
  readonly #options: HttpAcceptorsOptions;
  readonly #proxies: Proxies;
  #tls: HttpTls | undefined;
  #headersRefused = 0;

  constructor(options: HttpAcceptorsOptions) {
    this.#options = options;
    this.#proxies = new Proxies(options.config.proxyProtocol);
  }

  /** Rejects when an address cannot be listened at; then it is at none, and may be tried again. */
  async open(): Promise<Acceptor[]> {
    const { plain, secure } = this.#options;
    const acceptors: Acceptor[] = [];
    try {
      if (plain !== undefined) acceptors.push(this.#plain(listen(plain)));
      if (secure !== undefined) acceptors.push(await this.#secure(secure));
    } catch (cause) {
      for (const acceptor of acceptors) acceptor.close();
      throw cause;
    }
    return acceptors;
  }

  /** Whether the certificate was revoked since its client was let in. */
  isRevoked(certificate: ClientCertificate): boolean {
    return this.#tls?.isRevoked(certificate) ?? false;
  }

  /** Looks now whether certificates have changed; `undefined` where there are none. */
  async reload(): Promise<LookResult | undefined> {
    return await this.#tls?.look();
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return {
      sluice_http_proxy_headers_refused_total: this.#headersRefused,
      ...this.#tls?.counters(),
    };
  }

  #plain(listener: Deno.TcpListener): Acceptor {
    const { proxyProtocol, connectionsMax } = this.#options.config;
    if (proxyProtocol.length === 0) return acceptorOf(listener);
    return this.#prepared(
      listener,
      connectionsMax,
      undefined,
      (socket) => this.#proxies.arrivalOf(socket),
    );
  }

  async #secure(address: ListenAddress): Promise<Acceptor> {
    const { config, clock, door, certificatesChanged } = this.#options;
    const { HttpTls } = await import("./http_tls.ts"); // It takes memory.
    const listener = listen(address);
    const tls = this.#tls = new HttpTls(config.tls, clock, certificatesChanged);
    const acceptor = this.#prepared(listener, handshakesMax, tls, async (socket) => {
      const arrival = await this.#proxies.arrivalOf(socket);
      const address = hostOf(arrival.peer);
      const reason = door.enter(address);
      if (reason !== undefined) throw new NotLetIn(reason);
      const left = () => door.left(address);
      try {
        return { ...arrival, ...await tls.accept(socket), left };
      } catch (cause) {
        left();
        throw cause;
      }
    });
    return {
      accept: () => acceptor.accept(),
      close: () => {
        tls.close();
        acceptor.close();
      },
    };
  }

  #prepared(
    listener: Deno.TcpListener,
    countMax: number,
    tls: HttpTls | undefined,
    prepare: (socket: Deno.TcpConn) => Promise<Arrival>,
  ): Acceptor {
    const { clock, config } = this.#options;
    return new PreparedAcceptor<Deno.TcpConn>({
      listener,
      prepare,
      countMax,
      deadlineMs: config.headTimeoutMs,
      clock,
      dropped: ({ left }) => left?.(),
      refused: (cause, socket) => {
        const peer = this.#proxies.peerOf(socket);
        if (!(cause instanceof ProxyHeaderError)) return tls?.refused(cause, peer);
        this.#headersRefused++;
        log.warn("a proxy's connection was refused", { proxy: peer, why: cause.message });
      },
    });
  }
}

const listen = (address: ListenAddress): Deno.TcpListener =>
  Deno.listen({ ...address, transport: "tcp" });
