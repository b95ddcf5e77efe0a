/**
 * Write buffers that are shared by the connections of a run: only one that is writing holds one.
 *
 * @module
 */
export class BufferPool {
  readonly #bytes: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.#bytes);
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }
}
