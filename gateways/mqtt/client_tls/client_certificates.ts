/**
 * Whose a client's certificate is, and whether it is good now. That the client has its key is TLS's
 * business and was seen to; all else is looked at here, for every connection: `node:tls` of Deno
 * does not look again when a TLS session is resumed, and then calls any certificate authorized.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../endpoint/arrival.ts";
import { CertificateRefused } from "./certificate_refused.ts";
import {
  type CertificateName,
  type CertificateParts,
  certificateParts,
} from "./certificate_parts.ts";
import { pemBlocks } from "./pem.ts";
import { type RevocationList, revocationLists } from "./revocation_list.ts";
import { isTaken } from "./signature.ts";

export interface CertificateRules {
  /** PEM: the authorities that issue certificates to clients, each one's own certificate. */
  readonly authorities: string;
  /** PEM: what they have taken back. Absent: they take nothing back. */
  readonly revoked?: string;
  readonly nameFrom: CertificateName;
}

const clientPurposes: readonly string[] = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/** See the module. */
export class ClientCertificates {
  readonly #authorities: readonly X509Certificate[];
  readonly #lists: ReadonlyMap<string, RevocationList> | undefined;
  readonly #nameFrom: CertificateName;

  /** @throws {Error} when a file is no good. */
  constructor({ authorities, revoked, nameFrom }: CertificateRules) {
    this.#authorities = pemBlocks(authorities, "CERTIFICATE").map((der) =>
      new X509Certificate(der)
    );
    const other = this.#authorities.find(({ ca }) => !ca);
    if (other !== undefined) {
      throw new TypeError(`Cannot trust ${JSON.stringify(other.subject)}: it is not a CA's`);
    }
    this.#lists = revoked === undefined ? undefined : revocationLists(revoked, this.#authorities);
    this.#nameFrom = nameFrom;
  }

  /** @throws {CertificateRefused} when it is not good at `nowMs`, in ms since the epoch. */
  check(der: Uint8Array, nowMs: number): ClientCertificate {
    let certificate: X509Certificate;
    let parts: CertificateParts;
    try {
      certificate = new X509Certificate(der);
      parts = certificateParts(der);
    } catch (cause) {
      throw new CertificateRefused("it cannot be read", undefined, { cause });
    }
    const refused = (why: string) => new CertificateRefused(why, certificate.subject);
    const authority = this.#authorities.find((candidate) =>
      certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey)
    );
    if (authority === undefined) throw refused("no CA that is trusted issued it");
    const problem = problemOf(certificate, parts, nowMs) ?? this.#listed(authority, parts, nowMs);
    if (problem !== undefined) throw refused(problem);
    if (problemOfDates(authority, nowMs) !== undefined) throw refused("its CA's has expired");
    const [name, another] = parts.names[this.#nameFrom];
    if (name === undefined || name === "") throw refused(`it has no ${this.#nameFrom}`);
    if (another !== undefined) throw refused(`it has more than one ${this.#nameFrom}`);
    return {
      name,
      issuer: authority.subject,
      serial: parts.serial,
      expiresMs: certificate.validToDate.getTime(),
    };
  }

  /** Whether its authority has taken it back, as far as is known now. */
  isRevoked({ issuer, serial }: ClientCertificate): boolean {
    return this.#lists?.get(issuer)?.revoked.has(serial) ?? false;
  }

  #listed(
    { subject }: X509Certificate,
    { serial }: CertificateParts,
    nowMs: number,
  ): string | undefined {
    if (this.#lists === undefined) return undefined;
    const list = this.#lists.get(subject);
    if (list === undefined) return "there is no revocation list of its CA";
    if (list.revoked.has(serial)) return "it was revoked";
    return nowMs > list.nextUpdateMs ? "the revocation list of its CA has expired" : undefined;
  }
}

function problemOf(
  certificate: X509Certificate,
  { signatureAlgorithm, purposes, notUnderstood }: CertificateParts,
  nowMs: number,
): string | undefined {
  if (!isTaken(signatureAlgorithm)) return `its signature ${signatureAlgorithm} is not taken`;
  if (certificate.ca) return "it is a CA's";
  if (notUnderstood.length > 0) return `its extension ${notUnderstood[0]} is not understood`;
  if (purposes !== undefined && !purposes.some((purpose) => clientPurposes.includes(purpose))) {
    return "it is not for clients";
  }
  return problemOfDates(certificate, nowMs);
}

function problemOfDates(
  { validFromDate, validToDate }: X509Certificate,
  nowMs: number,
): string | undefined {
  if (nowMs > validToDate.getTime()) return "it has expired";
  return nowMs < validFromDate.getTime() ? "it is not valid yet" : undefined;
}
