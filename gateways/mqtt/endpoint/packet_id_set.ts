/**
 * A set of packet identifiers in 8 KiB at most: a client may leave all of them open.
 *
 * @module
 */

/** See the module. Empty, it holds nothing. */
export class PacketIdSet {
  #bits: Uint32Array | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return this.#bits !== undefined && (this.#bits[id >>> 5]! & (1 << (id & 31))) !== 0;
  }

  add(id: number): void {
    if (this.has(id)) return;
    this.#bits ??= new Uint32Array(0x1_0000 / 32);
    this.#bits[id >>> 5]! |= 1 << (id & 31);
    this.#size++;
  }

  /** Whether it was there. */
  delete(id: number): boolean {
    if (!this.has(id)) return false;
    this.#bits![id >>> 5]! &= ~(1 << (id & 31));
    this.#size--;
    return true;
  }

  /** Gives memory back when it is empty. */
  rest(): void {
    if (this.#size === 0) this.#bits = undefined;
  }
}
