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
import { type Slab, Slabs } from "./slabs.ts";

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
 * window has no buckets and is searched from end to end.
 */
const words = 4;
/** Words per entry and bucket. */
const entryWords = words + 1;

/** Where the windows of a shard have their entries. */
export class WindowRoom {
  /** What they may take together for fingerprints that are not young any more. */
  bytesLeft: number;
  readonly slabs = new Slabs();

  constructor(bytesMax: number) {
    this.bytesLeft = bytesMax;
  }
}

/** Entries, then, in all but the smallest, a word per bucket: the number of its newest entry. */
const blockWords = (capacity: number): number =>
  capacity > capacityMin ? capacity * entryWords : capacity * words;

/** Of a window that remembers nothing. */
const noCells = new Uint32Array(0);

/** See the module. Entries are numbered from 1 on; 0 is none. */
export class FingerprintWindow {
  readonly #room: WindowRoom;
  /** Its block of the slab begins at `#start`; absent while it remembers nothing. */
  #slab: Slab | undefined;
  #cells: Uint32Array = noCells;
  #start = 0;
  #capacity = 0;
  #newest = 0;
  /** Fingerprints that were forgotten before their time, since the window was at its largest. */
  overrun = 0;
  #takenBytes = 0;

  /** Without room left only young ones make it grow. Whoever drops it releases it first. */
  constructor(room: WindowRoom) {
    this.#room = room;
  }

  /** Fingerprints remembered. */
  get count(): number {
    return Math.min(this.#newest, this.#capacity);
  }

  has(hi: number, lo: number): boolean {
    const cells = this.#cells;
    const start = this.#start;
    const capacity = this.#capacity;
    if (capacity <= capacityMin) return this.#hasFew(hi, lo);
    const oldest = this.#newest - capacity;
    let entry = cells[start + capacity * words + (lo & (capacity - 1))]!;
    // An entry that was overwritten ends the chain: those behind it are older still.
    while (entry > oldest && entry > 0) {
      const at = start + (entry & (capacity - 1)) * words;
      if (cells[at] === hi && cells[at + 1] === lo) return true;
      entry = cells[at + 3]!;
    }
    return false;
  }

  #hasFew(hi: number, lo: number): boolean {
    const cells = this.#cells;
    const end = this.#start + this.#capacity * words;
    // What is not filled yet is (0, 0), which is no fingerprint.
    for (let at = this.#start; at < end; at += words) {
      if (cells[at] === hi && cells[at + 1] === lo) return true;
    }
    return false;
  }

  /** Remembers one. `nowMs` is wall time. */
  add(hi: number, lo: number, nowMs: number): void {
    const nowS = Math.floor(nowMs / 1000) >>> 0;
    if (this.#capacity === 0) this.#rebuild(capacityMin);
    let at = this.#at(this.#newest + 1);
    if (this.#newest >= this.#capacity) {
      // Unsigned: after the clock was set back, what is in the future counts as old, not as young.
      const isYoung = (nowS - this.#cells[at + 2]!) >>> 0 < rememberS;
      if (isYoung && this.#capacity === windowMax) this.overrun++;
      else if (isYoung || this.#takeRoom()) {
        this.#rebuild(this.#capacity * 4);
        at = this.#at(this.#newest + 1);
      }
    }
    const entry = ++this.#newest;
    this.#fill(at, entry, hi, lo, nowS);
    // Long before entry numbers leave 32 bits, they start again.
    if (entry === 0x7fff_ffff) this.#rebuild(this.#capacity);
  }

  /**
   * Those still young at `nowMs`, and at least the newest 512, or 16 where room is `short`: hi and lo
   * in turn, oldest first.
   */
  recent(nowMs: number, short = false): Uint32Array<ArrayBuffer> {
    const nowS = Math.floor(nowMs / 1000) >>> 0;
    let first = this.#newest + 1;
    const oldest = this.#newest - this.count + 1;
    const always = this.#newest - (short ? recentMin : recentMax);
    while (first > oldest) {
      const isYoung = (nowS - this.#cells[this.#at(first - 1) + 2]!) >>> 0 < rememberS;
      if (!isYoung && first - 1 <= always) break;
      first--;
    }
    const found = new Uint32Array((this.#newest - first + 1) * 2);
    for (let entry = first, i = 0; entry <= this.#newest; entry++) {
      const at = this.#at(entry);
      found[i++] = this.#cells[at]!;
      found[i++] = this.#cells[at + 1]!;
    }
    return found;
  }

  /** Forgets all, and gives back what it took of the room. */
  release(): void {
    this.#room.bytesLeft += this.#takenBytes;
    this.#takenBytes = 0;
    if (this.#slab !== undefined) {
      this.#room.slabs.free({ slab: this.#slab, at: this.#start });
      this.#slab = undefined;
    }
    this.#cells = noCells;
    this.#start = this.#capacity = this.#newest = 0;
  }

  /** Where an entry is in the cells. */
  #at(entry: number): number {
    return this.#start + (entry & (this.#capacity - 1)) * words;
  }

  #fill(at: number, entry: number, hi: number, lo: number, atS: number): void {
    const cells = this.#cells;
    const capacity = this.#capacity;
    cells[at] = hi;
    cells[at + 1] = lo;
    cells[at + 2] = atS;
    if (capacity === capacityMin) return;
    const bucket = this.#start + capacity * words + (lo & (capacity - 1));
    cells[at + 3] = cells[bucket]!;
    cells[bucket] = entry;
  }

  /** False when it has all it may have for old ones. */
  #takeRoom(): boolean {
    const room = this.#room;
    const bytes = this.#capacity * 3 * entryWords * Uint32Array.BYTES_PER_ELEMENT;
    if (this.#capacity >= agedMax || bytes > room.bytesLeft) return false;
    room.bytesLeft -= bytes;
    this.#takenBytes += bytes;
    return true;
  }

  #rebuild(capacity: number): void {
    const old = this.#cells;
    const oldSlab = this.#slab;
    const oldStart = this.#start;
    const oldMask = this.#capacity - 1;
    const last = this.#newest;
    const first = last - this.count + 1;
    const { slab, at: start } = this.#room.slabs.take(blockWords(capacity));
    this.#slab = slab;
    this.#cells = slab.words;
    this.#start = start;
    this.#capacity = capacity;
    this.#newest = 0;
    for (let from = first; from <= last; from++) {
      const source = oldStart + (from & oldMask) * words;
      const entry = ++this.#newest;
      this.#fill(this.#at(entry), entry, old[source]!, old[source + 1]!, old[source + 2]!);
    }
    if (oldSlab !== undefined) this.#room.slabs.free({ slab: oldSlab, at: oldStart });
  }
}
