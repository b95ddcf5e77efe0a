/**
 * Where a connection's bytes are read into. Most connections are silent most of the time and a read
 * that waits holds its buffer, so a buffer starts small, grows only while reads fill it, and falls
 * back when the connection goes quiet.
 *
 * @module
 */

/**
 * Bytes that the grown buffers of one shard may hold together; the smallest size is not counted.
 * Buffers of that size are used again: one a connection would be most of the garbage of one that is
 * opened and closed.
 */
export class BufferBudget {
  readonly bytesMax: number;
  readonly #spares: Uint8Array<ArrayBuffer>[] = [];
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** False when the share of the budget is spent. */
  take(bytes: number, share = 1): boolean {
    if (this.#usedBytes + bytes > this.bytesMax * share) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** A buffer of the smallest size. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#spares.pop() ?? new Uint8Array(restBytes);
  }

  /** Takes such a buffer back: nobody uses it any more. */
  spare(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#spares.length < sparesMax) this.#spares.push(bytes);
  }
}

/** Size at rest, and the largest size that is only there for speed. */
export const restBytes = 512;
export const speedBytesMax = 64 * 1024;
/** Buffers of the smallest size that wait for the next connection. */
const sparesMax = 256;
const none = new Uint8Array(0);

const growthFactor = 8;
/** Reads in a row that leave seven eighths empty before the buffer falls back. */
const leanReadsMax = 16;
/** Growing for speed leaves the rest of the budget to packets that need the room. */
const speedShare = 0.75;

/** `bytes[start..end)` was read and is not consumed. */
export class ReadBuffer {
  readonly #budget: BufferBudget;
  bytes: Uint8Array<ArrayBuffer>;
  start = 0;
  end = 0;
  #leanReads = 0;

  constructor(budget: BufferBudget) {
    this.#budget = budget;
    this.bytes = budget.rest();
  }

  /**
   * The room to read into; the bytes not consumed stay before it. `missingBytes` is what the packet
   * at `start` lacks. `undefined`: the packet needs more room than the budget has now.
   */
  room(missingBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const kept = this.end - this.start;
    const neededBytes = kept + missingBytes;
    const capacity = this.bytes.length;
    const filled = this.end === capacity;
    if (neededBytes > capacity) {
      const roomyBytes = Math.max(neededBytes, Math.min(capacity * growthFactor, speedBytesMax));
      if (!this.#resize(roomyBytes) && !this.#resize(neededBytes)) return undefined;
    } else if (filled && capacity < speedBytesMax) {
      this.#resize(Math.min(capacity * growthFactor, speedBytesMax), speedShare);
    } else if (
      this.#leanReads >= leanReadsMax && capacity > restBytes && neededBytes <= restBytes
    ) {
      this.#resize(restBytes);
    }
    this.#toFront();
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /** `count` bytes were read into the room. `quiet`: they were waited for long. */
  filled(count: number, quiet: boolean): void {
    this.end += count;
    const lean = count < this.bytes.length / growthFactor;
    this.#leanReads = !lean ? 0 : quiet ? leanReadsMax : this.#leanReads + 1;
  }

  /**
   * Gives the room back to the budget. The buffer must not be used again. `unused` says that no read
   * or write is under way in it, which closing a connection does not end at once: only then another
   * connection may read into it.
   */
  release(unused = false): void {
    if (this.bytes.length > restBytes) this.#budget.give(this.bytes.length);
    else if (this.bytes !== none && unused) this.#budget.spare(this.bytes);
    this.bytes = none;
    this.start = this.end = 0;
  }

  #resize(capacity: number, share?: number): boolean {
    const before = this.bytes;
    if (capacity > restBytes && !this.#budget.take(capacity, share)) return false;
    if (before.length > restBytes) this.#budget.give(before.length);
    this.bytes = new Uint8Array(capacity);
    this.bytes.set(before.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.#leanReads = 0;
    return true;
  }

  #toFront(): void {
    if (this.start === 0) return;
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }
}
