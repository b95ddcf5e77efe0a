/**
 * Which certificates their authorities have taken back: certificate revocation lists of RFC 5280,
 * complete ones, each signed by the authority whose certificates it is about.
 *
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList } from "@peculiar/asn1-x509";
import { pemBlocks } from "./pem.ts";
import { isSignedBy } from "./signature.ts";

/** See the module. */
export interface RevocationList {
  /** ms since the epoch; after it the list says nothing any more. */
  readonly nextUpdateMs: number;
  /** Serial numbers, hex. */
  readonly revoked: ReadonlySet<string>;
}

/**
 * The lists in a PEM file, by the subject of their authority.
 *
 * @throws {TypeError} when one cannot be read, or is of none of the authorities.
 */
export function revocationLists(
  pem: string,
  authorities: readonly X509Certificate[],
): ReadonlyMap<string, RevocationList> {
  return new Map(pemBlocks(pem, "X509 CRL").map((der) => readList(der, authorities)));
}

function readList(
  der: Uint8Array<ArrayBuffer>,
  authorities: readonly X509Certificate[],
): [string, RevocationList] {
  let list: CertificateList;
  try {
    list = AsnConvert.parse(der, CertificateList);
  } catch (cause) {
    throw new TypeError("Cannot read a certificate revocation list", { cause });
  }
  const { tbsCertList, tbsCertListRaw, signature, signatureAlgorithm: { algorithm } } = list;
  const signed = new Uint8Array(tbsCertListRaw ?? AsnConvert.serialize(tbsCertList));
  const authority = authorities.find(({ publicKey }) =>
    isSignedBy(publicKey, algorithm, signed, new Uint8Array(signature))
  );
  if (authority === undefined) {
    throw new TypeError("Cannot take a certificate revocation list: no CA of the file signed it");
  }
  // Of a part of the certificates, of changes only, or of other issuers.
  const special = tbsCertList.crlExtensions?.find(({ critical }) => critical);
  if (special !== undefined) {
    throw new TypeError(
      `Cannot take a certificate revocation list with the extension ${special.extnID}: use a complete one`,
    );
  }
  const revoked = (tbsCertList.revokedCertificates ?? []).map(({ userCertificate }) =>
    new Uint8Array(userCertificate).toHex()
  );
  return [authority.subject, {
    nextUpdateMs: tbsCertList.nextUpdate?.getTime().getTime() ?? Infinity,
    revoked: new Set(revoked),
  }];
}
