/**
 * The service's own certificate: that it can be read, has its private key, and when it is good.
 * `createSecureContext` of Deno looks at none of that, and every handshake fails afterwards.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { messageOf } from "../../../runtime/message_of.ts";
import type { TlsFiles } from "../endpoint/certificate_watch.ts";
import { pemBlocks } from "./pem.ts";

/** Which of the two files is at fault. */
export class ServerCertificateError extends Error {
  override readonly name = "ServerCertificateError";
  readonly file: "cert" | "key";

  constructor(file: "cert" | "key", message: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
  }
}

/** The first certificate of the chain. @throws {ServerCertificateError} when it is not its key's. */
export function serverCertificate({ cert, key }: TlsFiles): X509Certificate {
  let certificate: X509Certificate;
  try {
    const [own] = pemBlocks(cert, "CERTIFICATE").map((der) => new X509Certificate(der));
    certificate = own!;
  } catch (cause) {
    throw new ServerCertificateError("cert", `it holds no certificate chain: ${messageOf(cause)}`, {
      cause,
    });
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw new ServerCertificateError("key", `it holds no private key: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ServerCertificateError("key", "its private key is not the certificate's");
  }
  return certificate;
}

/** @throws {ServerCertificateError} when it is not good at `nowMs`, in ms since the epoch. */
export function checkDates({ validFromDate, validToDate }: X509Certificate, nowMs: number): void {
  if (nowMs > validToDate.getTime()) {
    throw new ServerCertificateError("cert", `it has expired, on ${validToDate.toISOString()}`);
  }
  if (nowMs < validFromDate.getTime()) {
    const why = `it is not valid before ${validFromDate.toISOString()}`;
    throw new ServerCertificateError("cert", why);
  }
}
