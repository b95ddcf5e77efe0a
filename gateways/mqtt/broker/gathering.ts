/**
 * When a broker's socket is left alone for a while, so that more comes at once: a broker writes
 * every message by itself, and each turn has its price, here and in the shards and spools behind.
 *
 * A broker whose way here is narrow (a small receive window, a small send buffer) must not wait for
 * that, for it would throw away QoS 0. So after a chunk of some size the socket is read again at
 * once, now and then: little means that the broker keeps nothing back, and as much again that it
 * was waiting.
 *
 * @module
 */

/** A broker that has no more than this at once keeps nothing back: no way here is as narrow. */
const littleBytes = 4 * 1024;
/** Chunks after which the socket is left alone before it is looked at again, at most. */
const trustMax = 16;

/** See the module. One for each connection. */
export class Gathering {
  readonly #chunkBytesMax: number;
  /** What came since the socket was left alone, or since the chunk before a look. */
  #gatheredBytes = 0;
  /** The chunk that comes next is read at once, to see whether the broker was waiting. */
  #looks = false;
  /** Chunks of some size that may still be waited after. */
  #trust = 0;
  #granted = 0;

  /** `chunkBytesMax`: a chunk of that size says that there is more. */
  constructor(chunkBytesMax: number) {
    this.#chunkBytesMax = chunkBytesMax;
  }

  /** Whether to leave the socket alone after a chunk of `bytes`. To be asked after every chunk. */
  waitsAfter(bytes: number): boolean {
    const looked = this.#looks;
    const before = this.#gatheredBytes;
    this.#looks = false;
    this.#gatheredBytes += bytes;
    if (bytes >= this.#chunkBytesMax) return false;
    const little = bytes < littleBytes || (looked && bytes * 2 < before);
    if (looked) {
      this.#granted = little ? Math.min(this.#granted * 2 + 1, trustMax) : 0;
      this.#trust = this.#granted;
    }
    if (!little && this.#trust === 0) {
      this.#looks = true;
      if (looked) this.#gatheredBytes = bytes;
      return false;
    }
    if (!little) this.#trust--;
    this.#gatheredBytes = 0;
    return true;
  }
}
