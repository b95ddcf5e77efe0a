/**
 * TLS of the HTTP listener: the certificate in use, which is taken anew when its files change, and
 * what came of the handshakes.
 *
 * @module
 */
import type { Config } from "../config.ts";
import { farewell } from "../gateways/http/front/farewell.ts";
import { logger } from "../gateways/log/log.ts";
import { CertificateRefused } from "../gateways/mqtt/client_tls/certificate_refused.ts";
import { ClientTls } from "../gateways/mqtt/client_tls/client_tls.ts";
import { NotTls } from "../gateways/mqtt/client_tls/not_tls.ts";
import type { Arrival, ClientCertificate } from "../gateways/mqtt/endpoint/arrival.ts";
import {
  CertificateWatch,
  type LookResult,
  type TlsFiles,
} from "../gateways/mqtt/endpoint/certificate_watch.ts";
import { GivenUp } from "../gateways/mqtt/endpoint/prepared_acceptor.ts";
import type { Clock } from "../runtime/clock.ts";
import { NotLetIn } from "./not_let_in.ts";
import { readTlsFiles, readTlsFilesSync } from "./tls_files.ts";

const log = logger("http");

/** What a client may ask for: the front knows HTTP/1.1 alone. */
const protocols = ["http/1.1"];

/** Why a connection to the TLS port came to nothing, as its counter names it. */
const refusals = ["plaintext", "certificate", "handshake", "late", "crowded", "limit"] as const;
type Refusal = typeof refusals[number];

/** See the module. */
export class HttpTls {
  readonly #section: Config["http"]["tls"];
  readonly #clock: Clock;
  readonly #watch: CertificateWatch;
  readonly #refused = new Map<Refusal, number>();
  /** Absent while none of the files could be taken: a start checks them, a restart may find others. */
  #tls: ClientTls | undefined;
  #accepted = 0;
  #reloads = 0;
  #reloadFailures = 0;

  /** `certificatesChanged` is called when some of clients may have been revoked. */
  constructor(section: Config["http"]["tls"], clock: Clock, certificatesChanged: () => void) {
    this.#section = section;
    this.#clock = clock;
    this.#watch = new CertificateWatch({
      files: this.#first(),
      read: () => readTlsFiles(section),
      take: (files) => this.#take(files),
      clock,
      everyMs: section.reloadMs,
      reloaded: () => {
        this.#reloads++;
        const { certFile, clientCaFile, clientCrlFile } = section;
        log.info("took new certificates", { certFile, clientCaFile, clientCrlFile });
        certificatesChanged();
      },
      refused: (error) => this.#notTaken(error),
    });
  }

  /** Rejects when the client does not speak TLS as it should, or its certificate is not let in. */
  async accept(
    socket: Deno.TcpConn,
  ): Promise<Pick<Arrival, "connection" | "secure" | "certificate">> {
    if (this.#tls === undefined) throw new Error("there is no certificate");
    try {
      const accepted = await this.#tls.accept(socket);
      this.#accepted++;
      return { ...accepted, secure: true };
    } catch (cause) {
      if (cause instanceof NotTls) await leave(socket).catch(() => {});
      throw cause;
    }
  }

  /** What {@linkcode accept} rejected with, or why it was not waited for. */
  refused(cause: unknown, peer: string): void {
    const why = refusalOf(cause);
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1);
    if (cause instanceof CertificateRefused) {
      const { message, subject } = cause;
      return log.warn("a client's certificate was refused", { peer, why: message, subject });
    }
    log.debug("a connection was closed before HTTP began", { peer, why, cause });
  }

  /** Whether the certificate was revoked since its client was let in. */
  isRevoked(certificate: ClientCertificate): boolean {
    return this.#tls?.certificates?.isRevoked(certificate) ?? false;
  }

  /** See {@linkcode CertificateWatch.look}. */
  look(): Promise<LookResult> {
    return this.#watch.look();
  }

  close(): void {
    this.#watch.close();
  }

  /** By metric name. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {
      sluice_http_tls_accepted_total: this.#accepted,
      sluice_http_tls_reloads_total: this.#reloads,
      sluice_http_tls_reload_failures_total: this.#reloadFailures,
    };
    for (const why of refusals) {
      counters[`sluice_http_tls_refused_total{reason="${why}"}`] = this.#refused.get(why) ?? 0;
    }
    return counters;
  }

  #first(): TlsFiles | undefined {
    try {
      const files = readTlsFilesSync(this.#section);
      this.#take(files);
      return files;
    } catch (cause) {
      this.#notTaken(cause);
      return undefined;
    }
  }

  #take(files: TlsFiles): void {
    const { clientCertificate, clientName } = this.#section;
    this.#tls = new ClientTls({
      files,
      required: clientCertificate === "required",
      nameFrom: clientName,
      protocols,
      clock: this.#clock,
    });
  }

  #notTaken(error: unknown): void {
    this.#reloadFailures++;
    const { certFile, keyFile, clientCaFile, clientCrlFile } = this.#section;
    const files = { certFile, keyFile, clientCaFile, clientCrlFile };
    log.error("cannot take the certificates; those before stay", { ...files, error });
  }
}

function refusalOf(cause: unknown): Refusal {
  if (cause instanceof NotTls) return "plaintext";
  if (cause instanceof CertificateRefused) return "certificate";
  if (cause instanceof NotLetIn) return "limit";
  if (!(cause instanceof GivenUp)) return "handshake";
  return cause.cause instanceof NotTls ? "plaintext" : cause.why;
}

/** Says in plain HTTP what is wrong, and reads what the client still sends until it closes. */
async function leave(socket: Deno.TcpConn): Promise<void> {
  await socket.write(farewell("plaintext")!);
  await socket.closeWrite();
  const forgotten = new Uint8Array(4_096);
  while (await socket.read(forgotten) !== null);
}
