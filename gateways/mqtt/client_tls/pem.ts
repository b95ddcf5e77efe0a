/**
 * Blocks of a PEM file.
 *
 * @module
 */

/**
 * The DER of every block with that label.
 *
 * @throws {TypeError} when there is none, or one is damaged.
 */
export function pemBlocks(text: string, label: string): Uint8Array<ArrayBuffer>[] {
  const block = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
  const found = [...text.matchAll(block)].map(([, base64 = ""]) => {
    try {
      return Uint8Array.fromBase64(base64);
    } catch (cause) {
      throw new TypeError(`Cannot read a PEM block ${label}`, { cause });
    }
  });
  if (found.length === 0) throw new TypeError(`Cannot find a PEM block ${label}`);
  return found;
}
