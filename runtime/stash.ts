/**
 * Messages an actor put aside for later, bounded in count, and in bytes as its mailbox is.
 *
 * @module
 */
import type { MailboxBounds } from "./mailbox.ts";

/** The stash of one actor. */
export class Stash {
  readonly #bounds: MailboxBounds;
  readonly #countMax: number;
  #messages: unknown[] = [];
  #bytes = 0;

  constructor(countMax: number, bounds: MailboxBounds) {
    this.#countMax = countMax;
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** False when it is full: the caller still has the message. */
  put(message: unknown): boolean {
    if (this.#messages.length >= this.#countMax) return false;
    const size = this.#bounds.sizeOf?.(message) ?? 0;
    if (!(this.#bytes + size <= this.#bounds.bytesMax)) return false;
    this.#messages.push(message);
    this.#bytes += size;
    return true;
  }

  /** Gives all of it, oldest first, and is empty. */
  takeAll(): unknown[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}
