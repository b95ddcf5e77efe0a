/**
 * The fingerprints a device remembers, to know a reading that comes again. Holds the last 4 at
 * least. Grows up to 1,024 while a fingerprint younger than 10 s would be forgotten, and up to 256
 * whatever their age while there is room for that in the shard: a sender that comes back after
 * hours sends again what it had on its way, and that is a count, not a time. Finding one takes the
 * same time however many there are: fingerprints of one bucket are chained, newest first, as in a
 * compressor's window.
 *
 * @module
 */

const capacityMin = 4;
/** Fingerprints a device remembers at most. */
export const windowMax = 1024;
/** Younger ones are not forgotten before there are {@linkcode windowMax}. */
const rememberS = 10;
/** How many are remembered whatever their age, room permitting. */
const agedMax = 256;
/** How many of the newest are kept at rest whatever their age, where room is short. */
const recentMin = 16;
/** And where it is not: twice the credit of a station. */
const recentMax = 512;

/**
 * Words per entry: hi, lo, arrival in s, and which entry came before it in its bucket. The smallest
 * window has no buckets and is searched from end to end: its 64 bytes are the most that V8 keeps
 * with the array instead of in a buffer outside of its heap.
 */
const words = 4;
/** Words per entry and bucket. */
const entryWords = words + 1;

/** What the windows of a shard may take together for fingerprints that are not young any more. */
export class WindowRoom {
  bytesLeft: number;

  constructor(bytesMax: number) {
    this.bytesLeft = bytesMax;
  }
}

/** See the module. Entries are numbered from 1 on; 0 is none. */
export class FingerprintWindow {
  /** Entries, then, in all but the smallest, a word per bucket: the number of its newest entry. */
  #cells = new Uint32Array(capacityMin * words);
  #capacity = capacityMin;
  #newest = 0;
  /** Fingerprints that were forgotten before their time, since the window was at its largest. */
  overrun = 0;
  readonly #room: WindowRoom | undefined;
  #takenBytes = 0;

  /** Without room only young ones make it grow. */
  constructor(room?: WindowRoom) {
    this.#room = room;
  }

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
    if (this.#newest >= this.#capacity) {
      // Unsigned: after the clock was set back, what is in the future counts as old, not as young.
      const isYoung = (nowS - this.#cells[at + 2]!) >>> 0 < rememberS;
      if (isYoung && this.#capacity === windowMax) this.overrun++;
      else if (isYoung || this.#takeRoom()) {
        this.#rebuild(this.#capacity * 4);
        at = ((this.#newest + 1) & (this.#capacity - 1)) * words;
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

  /**
   * Those still young at `nowMs`, and at least the newest 512, or 16 where room is `short`: hi and lo
   * in turn, oldest first.
   */
  recent(nowMs: number, short = false): Uint32Array<ArrayBuffer> {
    const nowS = Math.floor(nowMs / 1000) >>> 0;
    const mask = this.#capacity - 1;
    let first = this.#newest + 1;
    const oldest = this.#newest - this.count + 1;
    const always = this.#newest - (short ? recentMin : recentMax);
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

  /** It is not used any more: what it took of the room is free. */
  release(): void {
    if (this.#room !== undefined) this.#room.bytesLeft += this.#takenBytes;
    this.#takenBytes = 0;
  }

  /** False when it has all it may have for old ones. */
  #takeRoom(): boolean {
    const room = this.#room;
    const bytes = this.#capacity * 3 * entryWords * Uint32Array.BYTES_PER_ELEMENT;
    if (room === undefined || this.#capacity >= agedMax || bytes > room.bytesLeft) return false;
    room.bytesLeft -= bytes;
    this.#takenBytes += bytes;
    return true;
  }

  #rebuild(capacity: number): void {
    const old = this.#cells;
    const oldMask = this.#capacity - 1;
    const last = this.#newest;
    const first = last - this.count + 1;
    const cells = new Uint32Array(capacity * entryWords);
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
