/**
 * Passwords that were found right, so that a fleet that connects again at once after a restart of
 * its network does not cost a scrypt each. What is kept cannot be turned back: an HMAC under a key
 * that lives as long as the process, over the stored hash too, so that a new password needs no word.
 *
 * @module
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

const utf8 = new TextEncoder();

/** See the module. */
export class VerifiedPasswords {
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  readonly #max: number;
  /** In the order of their last use. */
  readonly #seen = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(name: string, password: string, hash: string): boolean {
    const mark = this.#mark(name, password, hash);
    if (!this.#seen.delete(mark)) return false;
    this.#seen.add(mark);
    return true;
  }

  add(name: string, password: string, hash: string): void {
    this.#seen.add(this.#mark(name, password, hash));
    if (this.#seen.size <= this.#max) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }

  #mark(name: string, password: string, hash: string): string {
    return hmac(sha256, this.#key, utf8.encode(JSON.stringify([name, password, hash]))).toBase64();
  }
}
