/**
 * Listening for HTTP: where clients arrive, who of them is heard, and the end of it.
 *
 * @module
 */
import type { HttpHandler } from "../gateways/http/app.ts";
import { hostNames } from "../gateways/http/host_names.ts";
import { type HttpServer, serveHttp } from "../gateways/http/server.ts";
import { logger } from "../gateways/log/log.ts";
import type { ClientCertificate } from "../gateways/mqtt/endpoint/arrival.ts";
import type { LookResult } from "../gateways/mqtt/endpoint/certificate_watch.ts";
import type { BufferBudget } from "../gateways/mqtt/endpoint/read_buffer.ts";
import { systemClock } from "../runtime/clock.ts";
import { HttpAcceptors, type HttpAcceptorsOptions } from "./http_acceptors.ts";
import type { HttpInit } from "./http_init.ts";

const log = logger("http");
const clock = systemClock;

/** Of the time to close, what requests under way may take. */
const closeShare = 0.5;

export interface HttpListenerOptions
  extends Pick<HttpAcceptorsOptions, "door" | "certificatesChanged"> {
  readonly init: HttpInit;
  readonly budget: BufferBudget;
  readonly handle: HttpHandler;
}

/** See the module. */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #acceptors: HttpAcceptors;
  #serving: Promise<HttpServer> | undefined;
  #server: HttpServer | undefined;

  constructor(options: HttpListenerOptions) {
    const { init, door, certificatesChanged } = options;
    this.#options = options;
    this.#acceptors = new HttpAcceptors({
      config: init.config.http,
      plain: init.http,
      secure: init.httpTls,
      clock,
      door,
      certificatesChanged,
    });
  }

  /** Rejects when it cannot; then it may be asked again. */
  async listen(): Promise<void> {
    this.#serving ??= this.#serve().catch((cause: unknown) => {
      this.#serving = undefined;
      throw cause;
    });
    await this.#serving;
  }

  /** See {@linkcode HttpAcceptors.reload}. */
  reload(): Promise<LookResult | undefined> {
    return this.#acceptors.reload();
  }

  /** See {@linkcode HttpAcceptors.isRevoked}. */
  isRevoked(certificate: ClientCertificate): boolean {
    return this.#acceptors.isRevoked(certificate);
  }

  /** Waits for the requests under way, not for long. */
  async stop(): Promise<void> {
    const server = await this.#serving?.catch(() => undefined);
    await server?.close(this.#options.init.config.shutdown.closeMs * closeShare);
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return { ...this.#server?.counters(), ...this.#acceptors.counters() };
  }

  /** By metric name. */
  gauges(): Record<string, number> {
    return { ...this.#server?.gauges() };
  }

  async #serve(): Promise<HttpServer> {
    const { init: { config: { auth, http } }, budget, handle } = this.#options;
    const { headTimeoutMs, idleTimeoutMs, connectionsMax } = http;
    const openHere = !auth.required && !http.insecureAllowAnonymousRemote;
    const acceptors = await this.#acceptors.open();
    try {
      return this.#server = serveHttp(acceptors, handle, {
        clock,
        budget,
        headTimeoutMs,
        idleTimeoutMs,
        connectionsMax,
        acceptFailed: (cause) => log.warn("no connection can be accepted now", { cause }),
        ...(openHere && { isKnownHost: hostNames(http.hostNames) }),
      });
    } catch (cause) {
      for (const acceptor of acceptors) acceptor.close();
      throw cause;
    }
  }
}
