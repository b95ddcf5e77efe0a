/**
 * Which shards' spools take nothing now, known to all Workers without asking: an edge that can
 * refuse does so at once, instead of waiting for a full disk.
 *
 * @module
 */

/** Memory that the shards and the edges share. */
export function stallsMemory(shards: number): SharedArrayBuffer {
  return new SharedArrayBuffer(shards * Int32Array.BYTES_PER_ELEMENT);
}

/** See the module. */
export class Stalls {
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#flags = new Int32Array(memory);
  }

  set(shard: number, stalled: boolean): void {
    Atomics.store(this.#flags, shard, stalled ? 1 : 0);
  }

  has(shard: number): boolean {
    return Atomics.load(this.#flags, shard) !== 0;
  }

  /** Whether there is any. */
  get any(): boolean {
    return this.#flags.some((_, shard) => this.has(shard));
  }
}
