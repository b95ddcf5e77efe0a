/**
 * Certificates of clients over WebSocket that were revoked while the clients were connected. The
 * HTTP edge, which looks at them, tells the shards, which have the sessions.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { ClientCertificate } from "../endpoint/arrival.ts";

/** Under which a shard publishes who is to be told, with a list of prints. */
export const revokedName = "revoked_certificates";

/** What tells certificates apart, short however long their names are. */
export const certificatePrint = (
  { issuer, serial }: Pick<ClientCertificate, "issuer" | "serial">,
): string => createHash("sha256").update(`${issuer}\0${serial}`).digest("base64");

/** @throws {TypeError} when it is no list of them. */
export function parsePrints(value: unknown): string[] {
  if (Array.isArray(value) && value.every((print: unknown) => typeof print === "string")) {
    return value;
  }
  throw new TypeError("Cannot read which certificates are revoked: not a list of texts");
}

/** See the module: what a shard was told last. */
export class RevokedCertificates {
  #prints = new Set<string>();

  /** These are revoked, and no others. */
  replace(prints: readonly string[]): void {
    this.#prints = new Set(prints);
  }

  has(certificate: ClientCertificate): boolean {
    return this.#prints.size > 0 && this.#prints.has(certificatePrint(certificate));
  }
}
