/**
 * What is read out of a certificate's DER beside what `node:crypto` tells of it.
 *
 * @module
 */
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";

import { serialText } from "./der.ts";

/** Which of a certificate's names is its account's. */
export const certificateNames = ["commonName", "dnsName", "uri", "email"] as const;
export type CertificateName = typeof certificateNames[number];

export interface CertificateParts {
  /** Hex. */
  readonly serial: string;
  readonly signatureAlgorithm: string;
  readonly names: Readonly<Record<CertificateName, readonly string[]>>;
  /** Object identifiers; `undefined`: for every purpose. */
  readonly purposes: readonly string[] | undefined;
  /** Object identifiers of extensions that must be understood, and are not. */
  readonly notUnderstood: readonly string[];
}

const commonName = "2.5.4.3";
const understood: readonly string[] = [
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
];

/** @throws {Error} when it is no certificate. */
export function certificateParts(der: Uint8Array): CertificateParts {
  const { tbsCertificate, signatureAlgorithm } = AsnConvert.parse(der, Certificate);
  const extensions = tbsCertificate.extensions ?? [];
  const valueOf = (id: string): Uint8Array | undefined => {
    const found = extensions.find(({ extnID }) => extnID === id);
    return found && new Uint8Array(found.extnValue.buffer);
  };
  const alternative = valueOf(id_ce_subjectAltName);
  const purposes = valueOf(id_ce_extKeyUsage);
  const others = alternative === undefined
    ? []
    : [...AsnConvert.parse(alternative, SubjectAlternativeName)];
  const isText = (name: string | undefined): name is string => name !== undefined;
  return {
    serial: serialText(new Uint8Array(tbsCertificate.serialNumber)),
    signatureAlgorithm: signatureAlgorithm.algorithm,
    names: {
      commonName: tbsCertificate.subject.flatMap((part) =>
        part.filter(({ type }) => type === commonName).map(({ value }) => value.toString())
      ),
      dnsName: others.map(({ dNSName }) => dNSName).filter(isText),
      uri: others.map(({ uniformResourceIdentifier }) => uniformResourceIdentifier).filter(isText),
      email: others.map(({ rfc822Name }) => rfc822Name).filter(isText),
    },
    purposes: purposes && [...AsnConvert.parse(purposes, ExtendedKeyUsage)],
    notUnderstood: extensions
      .filter(({ critical, extnID }) => critical && !understood.includes(extnID))
      .map(({ extnID }) => extnID),
  };
}
