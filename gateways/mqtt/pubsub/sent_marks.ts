/**
 * QoS 2 messages of kept sessions that came here, by their marks: what is sent on again, because
 * the shard that did so first died, is not delivered again.
 *
 * @module
 */

/** What one takes in memory: 74 were measured of one for a shared subscription, 64 of others. */
const markBytes = 80;
/** Shards that died, whose publishers may still send again. */
const goneMax = 4;

/** See the module. */
export class SentMarks {
  readonly #byShard = new Map<number, Set<string>>();
  #gone: Set<string>[] = [];
  readonly #countMax: number;

  /** `bytesMax`: of all marks of so many shards. */
  constructor(shards: number, bytesMax: number) {
    this.#countMax = Math.floor(bytesMax / markBytes / (shards + goneMax));
  }

  /** A message that was sent on by this shard; false when it came before. */
  add(shard: number, mark: string): boolean {
    let marks = this.#byShard.get(shard);
    if (marks?.has(mark) || this.#isKnown(mark)) return false;
    if (marks === undefined) this.#byShard.set(shard, marks = new Set());
    for (const oldest of marks) {
      if (marks.size < this.#countMax) break;
      marks.delete(oldest);
    }
    marks.add(mark);
    return true;
  }

  /** The shard is gone: its marks stay as they are, and those of its successor begin anew. */
  lost(shard: number): void {
    const marks = this.#byShard.get(shard);
    if (marks === undefined) return;
    this.#byShard.delete(shard);
    this.#gone = [...this.#gone, marks].slice(-goneMax);
  }

  #isKnown(mark: string): boolean {
    for (const marks of this.#byShard.values()) if (marks.has(mark)) return true;
    return this.#gone.some((marks) => marks.has(mark));
  }
}
