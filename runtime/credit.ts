/**
 * Credit for one direction of a lane: how much a sender may have under way. Both sides count in
 * totals since the start, so a grant can neither be lost nor be counted twice: what is under way
 * is what was sent less what was consumed.
 *
 * @module
 */

/** How much may be under way, sent and not yet consumed. Both limits hold. */
export interface CreditWindow {
  readonly count: number;
  readonly bytes: number;
}

/** Totals since the lane was made. */
export interface Totals {
  readonly count: number;
  readonly bytes: number;
}

/** The sender's side. */
export class SendCredit {
  readonly #window: CreditWindow;
  #sentCount = 0;
  #sentBytes = 0;
  #consumedCount = 0;
  #consumedBytes = 0;
  #blocked = false;

  /** @throws {RangeError} when the window cannot hold two of the largest messages. */
  constructor(window: CreditWindow, messageBytesMax: number) {
    if (!(window.count >= 2 && window.bytes >= 2 * messageBytesMax)) {
      throw new RangeError(
        `Cannot give credit: a window of ${window.count} messages and ${window.bytes} bytes ` +
          `does not hold two messages of ${messageBytesMax} bytes`,
      );
    }
    this.#window = window;
  }

  get underwayCount(): number {
    return this.#sentCount - this.#consumedCount;
  }

  get underwayBytes(): number {
    return this.#sentBytes - this.#consumedBytes;
  }

  /** A `take` was refused, and nothing will be taken until half the window is free. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /**
   * Takes credit for one message. False: there is none; then every message is refused until half
   * the window is free, so that a large one is not overtaken by smaller ones for ever.
   */
  take(bytes: number): boolean {
    if (
      this.#blocked || this.underwayCount >= this.#window.count ||
      this.underwayBytes + bytes > this.#window.bytes
    ) {
      this.#blocked = true;
      return false;
    }
    this.#sentCount++;
    this.#sentBytes += bytes;
    return true;
  }

  /**
   * The receiver's totals. True when a sender that was refused may go on.
   *
   * @throws {RangeError} when they go back, or beyond what was sent.
   */
  granted(consumed: Totals): boolean {
    const { count, bytes } = consumed;
    if (
      !(count >= this.#consumedCount && count <= this.#sentCount &&
        bytes >= this.#consumedBytes && bytes <= this.#sentBytes)
    ) {
      throw new RangeError(
        `Cannot take a grant of ${count} messages and ${bytes} bytes: ` +
          `${this.#sentCount} and ${this.#sentBytes} were sent, ` +
          `${this.#consumedCount} and ${this.#consumedBytes} consumed before`,
      );
    }
    this.#consumedCount = count;
    this.#consumedBytes = bytes;
    if (!this.#blocked) return false;
    this.#blocked = this.underwayCount > this.#window.count / 2 ||
      this.underwayBytes > this.#window.bytes / 2;
    return !this.#blocked;
  }
}

/** The receiver's side. */
export class ReceiveCredit {
  readonly #window: CreditWindow;
  #receivedCount = 0;
  #receivedBytes = 0;
  #consumedCount = 0;
  #consumedBytes = 0;
  #grantedCount = 0;
  #grantedBytes = 0;

  constructor(window: CreditWindow) {
    this.#window = window;
  }

  /** Received and not yet consumed. */
  get heldCount(): number {
    return this.#receivedCount - this.#consumedCount;
  }

  get heldBytes(): number {
    return this.#receivedBytes - this.#consumedBytes;
  }

  /** @throws {RangeError} when the sender sends beyond its credit. */
  received(bytes: number): void {
    this.#receivedCount++;
    this.#receivedBytes += bytes;
    if (
      this.#receivedCount - this.#grantedCount > this.#window.count ||
      this.#receivedBytes - this.#grantedBytes > this.#window.bytes
    ) throw new RangeError("Cannot take the message: its sender has no credit for it");
  }

  /** One message, received before, needs no more memory here. */
  consumed(bytes: number): void {
    this.#consumedCount++;
    this.#consumedBytes += bytes;
  }

  /** A quarter of the window was consumed since the last grant: time for the next. */
  get grantDue(): boolean {
    return (this.#consumedCount - this.#grantedCount) * 4 >= this.#window.count ||
      (this.#consumedBytes - this.#grantedBytes) * 4 >= this.#window.bytes;
  }

  /** The totals to send; they count as granted. */
  grant(): Totals {
    this.#grantedCount = this.#consumedCount;
    this.#grantedBytes = this.#consumedBytes;
    return { count: this.#consumedCount, bytes: this.#consumedBytes };
  }
}
