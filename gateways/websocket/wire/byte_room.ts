/**
 * Bytes that many may hold together. Who asks for more than there are waits for its turn.
 *
 * @module
 */

/** See the module. */
export class ByteRoom {
  readonly bytesMax: number;
  #usedBytes = 0;
  readonly #waiting: { readonly bytes: number; readonly granted: () => void }[] = [];

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Resolves when they are there. @throws {RangeError} when they never will be. */
  async take(bytes: number): Promise<void> {
    if (bytes > this.bytesMax) {
      throw new RangeError(`Cannot hold ${bytes} bytes: there are ${this.bytesMax}`);
    }
    if (this.tryTake(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ bytes, granted: resolve });
    await promise;
  }

  /** False: they are not there now, or others wait for theirs. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes);) {
      this.#waiting.shift();
      this.#usedBytes += next.bytes;
      next.granted();
      next = this.#waiting[0];
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.bytesMax;
  }
}
