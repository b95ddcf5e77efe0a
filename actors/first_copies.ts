/**
 * Readings that wait for the store's yes before they are acknowledged. One that comes again
 * meanwhile waits for the same yes: its sender must not take it for settled earlier.
 *
 * A repetition waits for the commit group of the first copy, not for the batch that brought it: two
 * batches may each repeat a reading of the other. Bounded by the lanes' credit, which nobody gets
 * back for such a reading before it leaves.
 *
 * @module
 */
import type { CommitGroup, Completion } from "./spool/commit_group.ts";

/** Two fingerprints that share a key make a repetition wait for both, no more. */
const keyOf = (hi: number, lo: number): number => hi * 2 ** 21 + (lo >>> 11);

/** Of one commit group: completed with it. */
class GroupCopies implements Completion {
  readonly keys: number[] = [];
  readonly repetitions: Completion[] = [];
  readonly #ended: (copies: GroupCopies) => void;

  constructor(ended: (copies: GroupCopies) => void) {
    this.#ended = ended;
  }

  complete(): void {
    this.#ended(this);
    for (const repetition of this.repetitions) repetition.complete();
  }
}

/** See the module. */
export class FirstCopies {
  readonly #copies = new Map<number, GroupCopies>();
  #open: GroupCopies | undefined;
  #openNo = 0;

  /** Fingerprints that are waited for. */
  get size(): number {
    return this.#copies.size;
  }

  /** A reading was added to the group, to be acknowledged when the store has it. */
  add(group: CommitGroup, hi: number, lo: number): void {
    if (hi === 0 && lo === 0) return;
    if (this.#open === undefined || this.#openNo !== group.groupNo) {
      this.#open = new GroupCopies((copies) => this.#end(copies));
      this.#openNo = group.groupNo;
      group.stored.push(this.#open);
    }
    const key = keyOf(hi, lo);
    this.#open.keys.push(key);
    this.#copies.set(key, this.#open);
  }

  /** Completes `repetition` with the first copy. False when none is on its way. */
  follow(hi: number, lo: number, repetition: Completion): boolean {
    const copies = this.#copies.get(keyOf(hi, lo));
    copies?.repetitions.push(repetition);
    return copies !== undefined;
  }

  #end(copies: GroupCopies): void {
    for (const key of copies.keys) {
      if (this.#copies.get(key) === copies) this.#copies.delete(key);
    }
  }
}
