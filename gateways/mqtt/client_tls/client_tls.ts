/**
 * TLS over a TCP connection that is there already, which may ask clients for certificates: Deno's
 * own listener can do neither. It costs more memory a connection, so it is for where one is needed.
 *
 * @module
 */
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { Clock } from "../../../runtime/clock.ts";
import type { Arrival, ClientCertificate } from "../endpoint/arrival.ts";
import type { TlsFiles } from "../endpoint/certificate_watch.ts";
import type { CertificateName } from "./certificate_parts.ts";
import { CertificateRefused } from "./certificate_refused.ts";
import { ClientCertificates } from "./client_certificates.ts";
import { NotTls } from "./not_tls.ts";
import { serverCertificate } from "./server_certificate.ts";
import { firstBytesMax, type RawConnection, SocketStream } from "./socket_stream.ts";
import { TlsConnection } from "./tls_connection.ts";

export interface ClientTlsOptions {
  readonly files: TlsFiles;
  /** Whether one without a certificate is refused, or is to say who it is otherwise. */
  readonly required: boolean;
  readonly nameFrom: CertificateName;
  /** What is spoken over it, for a client that asks (ALPN). Default: it is not answered. */
  readonly protocols?: readonly string[];
  readonly clock: Clock;
}

/** The first byte of TLS: that of a record with a handshake (RFC 8446, section 5.1). */
const handshakeRecord = 22;

/** See the module. */
export class ClientTls {
  /** Absent: clients are not asked for them. */
  readonly certificates: ClientCertificates | undefined;
  readonly #context: SecureContext;
  readonly #required: boolean;
  readonly #protocols: string[] | undefined;
  readonly #clock: Clock;

  /** @throws {Error} when a file is no good. */
  constructor({ files, required, nameFrom, protocols, clock }: ClientTlsOptions) {
    const { cert, key, clientCa, clientCrl } = files;
    serverCertificate(files);
    this.certificates = clientCa === undefined ? undefined : new ClientCertificates({
      authorities: clientCa,
      ...(clientCrl !== undefined && { revoked: clientCrl }),
      nameFrom,
    });
    this.#context = createSecureContext({ cert, key, ...(clientCa && { ca: clientCa }) });
    this.#required = required;
    this.#protocols = protocols && [...protocols];
    this.#clock = clock;
  }

  /**
   * Makes a session's connection of a socket.
   *
   * @throws {CertificateRefused} when its certificate is not let in.
   * @throws {NotTls} when it speaks something else; the socket is open then.
   * @throws other errors when it does not speak TLS as it should, or is gone.
   */
  async accept(socket: RawConnection): Promise<Pick<Arrival, "connection" | "certificate">> {
    // Who says nothing costs no more than this.
    const first = new Uint8Array(firstBytesMax);
    const count = await socket.read(first);
    if (count === null) {
      socket.close();
      throw new Error("the client closed before TLS began");
    }
    if (first[0] !== handshakeRecord) throw new NotTls();
    const raw = new SocketStream(socket, first.subarray(0, count));
    const tls = new TLSSocket(raw, {
      isServer: true,
      secureContext: this.#context,
      requestCert: this.certificates !== undefined,
      ...(this.#protocols !== undefined && { ALPNProtocols: this.#protocols }),
      rejectUnauthorized: false, // What is wrong with it is to be told: see `certificates`.
    });
    try {
      raw.wanted = true;
      await shakenHands(raw, tls);
      const certificate = this.#certificateOf(tls);
      return {
        connection: new TlsConnection(raw, tls),
        ...(certificate !== undefined && { certificate }),
      };
    } catch (error) {
      tls.destroy();
      raw.destroy();
      throw error;
    }
  }

  #certificateOf(tls: TLSSocket): ClientCertificate | undefined {
    if (this.certificates === undefined) return undefined;
    const sent = tls.getPeerX509Certificate();
    if (sent !== undefined) return this.certificates.check(sent.raw, this.#clock.now());
    if (this.#required) throw new CertificateRefused("the client has none");
    return undefined;
  }
}

/** Later errors are heard too: one that nobody listens for would end the process. */
function shakenHands(raw: SocketStream, tls: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    tls.once("secure", resolve);
    tls.on("error", reject);
    raw.on("error", reject);
    const closed = (): void => reject(new Error("the client closed before TLS began"));
    raw.once("end", closed);
    tls.once("close", closed);
  });
}
