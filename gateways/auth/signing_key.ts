/**
 * What may be a key that signs tokens.
 *
 * @module
 */

const placeholders = /^(.)\1*$|change.?me|placeholder|secret.?key|your.?|example|password|^test/i;

/** 32 bytes at least (RFC 7518, section 3.2), and nobody's placeholder. */
export function isSigningKey(text: string): boolean {
  return new TextEncoder().encode(text).length >= 32 && !placeholders.test(text);
}
