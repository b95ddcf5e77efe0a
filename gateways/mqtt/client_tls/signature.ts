/**
 * Signatures of certificate authorities that are taken: with SHA-2, or Ed25519.
 *
 * @module
 */
import { type KeyObject, verify } from "node:crypto";

/** Object identifier of the algorithm → hash; `null`: it has its own. */
const hashes: ReadonlyMap<string, string | null> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"], // RSA
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"], // ECDSA
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.3.101.112", null], // Ed25519
]);

export const isTaken = (algorithm: string): boolean => hashes.has(algorithm);

/** Whether the key made the signature. */
export function isSignedBy(
  key: KeyObject,
  algorithm: string,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const hash = hashes.get(algorithm);
  if (hash === undefined) return false;
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false; // The key is of another kind than the signature.
  }
}
