/**
 * Which certificates their authorities have taken back: certificate revocation lists of RFC 5280,
 * complete ones, each signed by the authority whose certificates it is about.
 *
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { messageOf } from "../../../runtime/message_of.ts";
import {
  damaged,
  type DerElement,
  derElements,
  derTags,
  derTime,
  objectIdentifier,
  serialText,
} from "./der.ts";
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
  return new Map(
    pemBlocks(pem, "X509 CRL").map((der) => {
      try {
        return readList(der, authorities);
      } catch (cause) {
        const why = messageOf(cause);
        throw new TypeError(`Cannot take a certificate revocation list: ${why}`, { cause });
      }
    }),
  );
}

function readList(
  der: Uint8Array,
  authorities: readonly X509Certificate[],
): [string, RevocationList] {
  const [list] = derElements(der);
  const [signed, algorithm, signature] = [...derElements(contentOf(list, derTags.sequence))];
  const [identifier] = derElements(contentOf(algorithm, derTags.sequence));
  const oid = objectIdentifier(contentOf(identifier, derTags.objectIdentifier));
  const bits = contentOf(signature, derTags.bitString).subarray(1); // No bit of it is unused.
  const body = contentOf(signed, derTags.sequence);
  const authority = authorities.find(({ publicKey }) =>
    signed !== undefined && isSignedBy(publicKey, oid, signed.whole, bits)
  );
  if (authority === undefined) throw new TypeError("no CA of the file signed it");
  return [authority.subject, listOf([...derElements(body)])];
}

/** `version`, `signature`, `issuer`, `thisUpdate`, `nextUpdate`, `revokedCertificates`, `crlExtensions`. */
function listOf(fields: readonly DerElement[]): RevocationList {
  const isTime = ({ tag }: DerElement): boolean =>
    tag === derTags.utcTime || tag === derTags.generalizedTime;
  const [, nextUpdate] = fields.filter(isTime);
  const afterTimes = fields.slice(fields.findLastIndex(isTime) + 1);
  const entries = afterTimes.find(({ tag }) => tag === derTags.sequence);
  const extensions = afterTimes.find(({ tag }) => tag === 0xa0);
  if (extensions !== undefined) refuseSpecial(extensions);
  const revoked = new Set<string>();
  for (const entry of entries === undefined ? [] : derElements(entries.content)) {
    const [serial] = derElements(contentOf(entry, derTags.sequence));
    revoked.add(serialText(contentOf(serial, derTags.integer)));
  }
  return { nextUpdateMs: nextUpdate === undefined ? Infinity : derTime(nextUpdate), revoked };
}

/** A list of a part of the certificates, of changes only, or of other issuers, says so critically. */
function refuseSpecial({ content }: DerElement): void {
  const [all] = derElements(content);
  for (const extension of derElements(contentOf(all, derTags.sequence))) {
    const [id, critical] = derElements(contentOf(extension, derTags.sequence));
    if (critical?.tag !== derTags.boolean || critical.content[0] === 0) continue;
    const oid = objectIdentifier(contentOf(id, derTags.objectIdentifier));
    throw new TypeError(`it has the extension ${oid}; use a complete list`);
  }
}

function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw damaged();
  return element.content;
}
