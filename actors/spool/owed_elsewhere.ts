/**
 * Devices of which another shard's spool holds readings that the store does not have yet: after a
 * start with another number of shards a device's owner is not the one who found them. Known to all
 * shards without asking, by a hash: two devices may be taken for each other, then one waits longer.
 *
 * @module
 */
import { hashText } from "../fingerprint.ts";

const bits = 1 << 16;
const wordsPerShard = bits / 32;

/** Memory that the shards share. */
export function owedElsewhereMemory(shards: number): SharedArrayBuffer {
  return new SharedArrayBuffer(shards * wordsPerShard * Int32Array.BYTES_PER_ELEMENT);
}

/** See the module. One in each shard. */
export class OwedElsewhere {
  readonly #words: Int32Array;
  readonly #shard: number;
  readonly #shards: number;

  constructor(memory: SharedArrayBuffer, shard: number, shards: number) {
    this.#words = new Int32Array(memory);
    this.#shard = shard;
    this.#shards = shards;
  }

  /** This spool owes the store a reading of the device. Answers whether another shard owns it. */
  found(deviceId: string): boolean {
    const hash = hashText(deviceId);
    if (hash % this.#shards === this.#shard) return false;
    Atomics.or(this.#words, wordOf(this.#shard, hash), bitOf(hash));
    return true;
  }

  /** The store has all that this spool was found to hold of others' devices. */
  stored(): void {
    const begin = this.#shard * wordsPerShard;
    for (let word = begin; word < begin + wordsPerShard; word++) {
      Atomics.store(this.#words, word, 0);
    }
  }

  /** Whether a spool owes the store a reading of this device, which another shard found. */
  has(deviceId: string): boolean {
    const hash = hashText(deviceId);
    for (let shard = 0; shard < this.#shards; shard++) {
      if ((Atomics.load(this.#words, wordOf(shard, hash)) & bitOf(hash)) !== 0) return true;
    }
    return false;
  }
}

/** By the upper bits: the lower ones choose the owner. */
const wordOf = (shard: number, hash: number): number => shard * wordsPerShard + (hash >>> 21);
const bitOf = (hash: number): number => 1 << ((hash >>> 16) & 31);
