/**
 * Spools of one disk, each in a Worker of its own: when one finds no room, the others give up what
 * they only keep. Without it a shard could starve beside another one's caution.
 *
 * @module
 */

/** Memory that the spools share. */
export function diskPressureMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** One spool's view of it. */
export class DiskPressure {
  readonly #raised: Int32Array;
  #seen: number;

  constructor(memory: SharedArrayBuffer = diskPressureMemory()) {
    this.#raised = new Int32Array(memory);
    this.#seen = Atomics.load(this.#raised, 0);
  }

  /** A commit found no room. */
  raise(): void {
    Atomics.add(this.#raised, 0, 1);
  }

  /** Whether any spool found no room since this was last asked. */
  take(): boolean {
    const raised = Atomics.load(this.#raised, 0);
    const news = raised !== this.#seen;
    this.#seen = raised;
    return news;
  }
}
