/**
 * Whether a certificate chain and a private key may serve: `node:tls` of Deno takes any text for
 * them, and then fails every handshake.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { pemBlocks } from "./pem.ts";

/** @throws {Error} when one of them cannot be read, or the key is not that of the certificate. */
export function checkServerPair(cert: string, key: string): void {
  const [own] = named(
    "certificate",
    () => pemBlocks(cert, "CERTIFICATE").map((der) => new X509Certificate(der)),
  );
  const privateKey = named("private key", () => createPrivateKey(key));
  if (!own!.checkPrivateKey(privateKey)) {
    throw new Error("Cannot serve TLS: the private key is not that of the certificate");
  }
}

function named<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`Cannot serve TLS: the ${what} cannot be read`, { cause });
  }
}
