/**
 * The fingerprints a device remembers, to know a reading that comes again. Holds the last 4; grows,
 * up to 1,024, only while a fingerprint younger than 10 s would be forgotten. Finding one takes the
 * same time however many there are: fingerprints of one bucket are chained, newest first, as in a
 * compressor's window.
 *
 * @module
 */

const capacityMin = 4;
/** Fingerprints a device remembers at most. */
export const windowMax = 1024;
/** How long one should be remembered: as long as a sender may take to come back and send again. */
const rememberS = 10;
/** How many of the newest are kept whatever their age. */
const recentMin = 16;

/**
 * Words per entry: hi, lo, arrival in s, and which entry came before it in its bucket. The smallest
 * window has no buckets and is searched from end to end: its 64 bytes are the most that V8 keeps
 * with the array instead of in a buffer outside of its heap.
 */
const words = 4;

/** See the module. Entries are numbered from 1 on; 0 is none. */
export class FingerprintWindow {
  /** Entries, then, in all but the smallest, a word per bucket: the number of its newest entry. */
  #cells = new Uint32Array(capacityMin * words);
  #capacity = capacityMin;
  #newest = 0;
  /** Fingerprints that were forgotten before their time, since the window was at its largest. */
  overrun = 0;

  /** Fingerprints remembered. */
  get count(): number {
    return Math.min(this.#newest, this.#capacity);
  }

  has(hi: number, lo: number): boolean {
    const cells = this.#cells;
    const capacity = this.#capacity;
    if (capacity === capacityMin) return this.#hasFew(hi, lo);
    const oldest = this.#newest - capacity;
    let entry = cells[capacity * words + (lo & (capacity - 1))]!;
    // An entry that was overwritten ends the chain: those behind it are older still.
    while (entry > oldest && entry > 0) {
      const at = (entry & (capacity - 1)) * words;
      if (cells[at] === hi && cells[at + 1] === lo) return true;
      entry = cells[at + 3]!;
    }
    return false;
  }

  #hasFew(hi: number, lo: number): boolean {
    const cells = this.#cells;
    // What is not filled yet is (0, 0), which is no fingerprint.
    for (let at = 0; at < capacityMin * words; at += words) {
      if (cells[at] === hi && cells[at + 1] === lo) return true;
    }
    return false;
  }

  /** Remembers one. `nowMs` is wall time. */
  add(hi: number, lo: number, nowMs: number): void {
    const nowS = Math.floor(nowMs / 1000) >>> 0;
    let at = ((this.#newest + 1) & (this.#capacity - 1)) * words;
    // Unsigned: after the clock was set back, what is in the future counts as old and not as young.
    if (this.#newest >= this.#capacity && (nowS - this.#cells[at + 2]!) >>> 0 < rememberS) {
      if (this.#capacity < windowMax) {
        this.#grow();
        at = ((this.#newest + 1) & (this.#capacity - 1)) * words;
      } else {
        this.overrun++;
      }
    }
    const entry = ++this.#newest;
    const cells = this.#cells;
    cells[at] = hi;
    cells[at + 1] = lo;
    cells[at + 2] = nowS;
    if (this.#capacity > capacityMin) {
      const bucket = this.#capacity * words + (lo & (this.#capacity - 1));
      cells[at + 3] = cells[bucket]!;
      cells[bucket] = entry;
    }
    // Long before entry numbers leave 32 bits, they start again.
    if (entry === 0x7fff_ffff) this.#rebuild(this.#capacity);
  }

  /** Those still young at `nowMs`, and at least the newest 16: hi and lo in turn, oldest first. */
  recent(nowMs: number): Uint32Array<ArrayBuffer> {
    const nowS = Math.floor(nowMs / 1000) >>> 0;
    const mask = this.#capacity - 1;
    let first = this.#newest + 1;
    const oldest = this.#newest - this.count + 1;
    const always = this.#newest - recentMin;
    while (first > oldest) {
      const isYoung = (nowS - this.#cells[((first - 1) & mask) * words + 2]!) >>> 0 < rememberS;
      if (!isYoung && first - 1 <= always) break;
      first--;
    }
    const found = new Uint32Array((this.#newest - first + 1) * 2);
    for (let entry = first, i = 0; entry <= this.#newest; entry++) {
      const at = (entry & mask) * words;
      found[i++] = this.#cells[at]!;
      found[i++] = this.#cells[at + 1]!;
    }
    return found;
  }

  #grow(): void {
    this.#rebuild(this.#capacity * 4);
  }

  #rebuild(capacity: number): void {
    const old = this.#cells;
    const oldMask = this.#capacity - 1;
    const last = this.#newest;
    const first = last - this.count + 1;
    const cells = new Uint32Array(capacity * (words + 1));
    let entry = 0;
    for (let from = first; from <= last; from++) {
      const source = (from & oldMask) * words;
      const at = (++entry & (capacity - 1)) * words;
      const bucket = capacity * words + (old[source + 1]! & (capacity - 1));
      cells[at] = old[source]!;
      cells[at + 1] = old[source + 1]!;
      cells[at + 2] = old[source + 2]!;
      cells[at + 3] = cells[bucket]!;
      cells[bucket] = entry;
    }
    this.#cells = cells;
    this.#capacity = capacity;
    this.#newest = entry;
  }
}
